package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// everyday are the device nodes of cameras, sound and encoders. Usually members of certain groups may open them. Of a Jetson's many
// nodes only those that an encoder needs are listed.
var everyday = []string{
	"dev/video*", "dev/media*", "dev/dri/renderD*", "dev/snd/controlC*", "dev/vchiq",
	"dev/nvmap", "dev/nvhost-ctrl", "dev/nvhost-msenc",
}

// groups checks which device nodes this user may not open, and which group would help.
func groups(_ context.Context, x *exam) Result {
	all := x.devices(everyday...)
	locked := slices.DeleteFunc(slices.Clone(all), func(d device) bool { return !d.locked() })
	switch {
	case len(all) == 0:
		return fine("no device nodes of cameras, sound or encoders here")
	case len(locked) == 0:
		return fine("%s of cameras, sound and encoders, all permitted", count(len(all), "device node"))
	}
	return warn("no permission for "+x.byGroup(locked), x.permit(locked))
}

// byGroup lists nodes by the groups that they belong to.
func (x *exam) byGroup(list []device) string {
	var names []string
	of := map[string][]device{}
	for _, d := range list {
		name := "of no group"
		if gid, ok := d.gid(); ok {
			name, _ = x.group(gid)
			name = "group " + name
		}
		if of[name] == nil {
			names = append(names, name)
		}
		of[name] = append(of[name], d)
	}
	var parts []string
	for _, name := range names {
		parts = append(parts, fmt.Sprintf("%s (%s)", paths(of[name]), name))
	}
	return strings.Join(parts, "; ")
}

// permit says how to get the permission for nodes that this user may not open.
func (x *exam) permit(locked []device) string {
	var join, joined []string
	var orphan *device
	for _, d := range locked {
		gid, ok := d.gid()
		name, member := x.group(gid)
		switch {
		case !ok:
			orphan = &d
		case slices.Contains(x.Process.Groups, gid): // the group is right, and opening fails all the same
		case member:
			joined = append(joined, name)
		default:
			join = append(join, name)
		}
	}
	slices.Sort(join)
	switch {
	case len(join) > 0 && x.container():
		return "start the container with --group-add " + strings.Join(slices.Compact(join), " --group-add ")
	case len(join) > 0:
		return "sudo usermod -aG " + strings.Join(slices.Compact(join), ",") + " $USER, then log out and in again"
	case len(joined) > 0:
		return "you are in the group " + joined[0] + ", but not since this login: log out and in again"
	case orphan != nil:
		kernel := orphan.path[strings.LastIndex(orphan.path, "/")+1:]
		return fmt.Sprintf(`let udev give it to a group: echo 'KERNEL=="%s", GROUP="video", MODE="0660"' | `+
			"sudo tee /etc/udev/rules.d/99-boardcast.rules, then reboot", kernel)
	}
	return "the groups are right, something else refuses: a container needs --device for each node, a service DeviceAllow="
}

// mpp checks the device node of Rockchip's video service.
func mpp(_ context.Context, x *exam) Result {
	nodes := x.devices("dev/mpp_service", "dev/rga")
	locked := slices.DeleteFunc(slices.Clone(nodes), func(d device) bool { return !d.locked() })
	switch {
	case len(nodes) == 0:
		return fine("no /dev/mpp_service here, which is Rockchip's")
	case len(locked) == 0:
		return fine("%s permitted", paths(nodes))
	}
	return warn("no permission for "+x.byGroup(locked)+": the encoder can't be used", x.permit(locked))
}

// dmaHeap checks the DMA heaps, in which Rockchip's MPP has its buffers.
func dmaHeap(_ context.Context, x *exam) Result {
	if !x.exists("dev/mpp_service") {
		return fine("not needed on this board")
	}
	heaps := x.devices("dev/dma_heap/*")
	switch {
	case len(heaps) == 0:
		return warn("the kernel has no /dev/dma_heap, from which the encoder takes its buffers",
			"run the kernel of the board's maker, or one built with CONFIG_DMABUF_HEAPS")
	case slices.ContainsFunc(heaps, func(d device) bool { return d.err == nil }):
		return fine("%s", paths(slices.DeleteFunc(heaps, func(d device) bool { return d.err != nil })))
	}
	hint := `let udev give them to a group: echo 'SUBSYSTEM=="dma_heap", GROUP="video", MODE="0660"' | ` +
		"sudo tee /etc/udev/rules.d/99-boardcast-heaps.rules, then reboot"
	if _, ok := heaps[0].gid(); ok {
		hint = x.permit(heaps)
	}
	return warn("no permission for "+x.byGroup(heaps)+": the encoder gets no buffers", hint)
}
