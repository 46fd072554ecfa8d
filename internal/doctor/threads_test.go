package doctor

import (
	"maps"
	"testing"
	"testing/fstest"
)

// limits is a machine with 300 threads, of which a user has 20. All its limits are far higher.
func limits(more fstest.MapFS) fstest.MapFS {
	const own = "Name:\tboardcast\nUid:\t1000\t1000\t1000\t1000\nThreads:\t7\n"
	files := fstest.MapFS{
		"proc/loadavg":                {Data: []byte("0.00 0.01 0.05 1/300 2465\n")},
		"proc/sys/kernel/threads-max": {Data: []byte("30000\n")},
		"proc/self/limits":            {Data: []byte("Limit  Soft Limit  Hard Limit  Units\nMax processes             15000                15000                processes \n")},
		"proc/self/status":            {Data: []byte(own)},
		"proc/12/status":              {Data: []byte(own)},
		"proc/13/status":              {Data: []byte("Uid:\t1000\t0\t0\t0\nThreads:\t13\n")},
		"proc/14/status":              {Data: []byte("Uid:\t1001\t1001\t1001\t1001\nThreads:\t99\n")},
		"proc/self/cgroup":            {Data: []byte("0::/system.slice/boardcast.service\n")},
	}
	maps.Copy(files, more)
	return files
}

func TestThreads(t *testing.T) {
	const unit = "sys/fs/cgroup/system.slice/boardcast.service/"
	group := func(dir, most, now string) fstest.MapFS {
		return fstest.MapFS{dir + "pids.max": {Data: []byte(most + "\n")}, dir + "pids.current": {Data: []byte(now + "\n")}}
	}
	table(t, "threads", []Status{OK, Warning}, []row{
		{"nothing is known", machine{}, ok("no limit is known here")},
		{
			"far from all limits",
			machine{files: limits(nil), request: Request{Viewers: 16}},
			ok("14700 more may be started, by the limit of 15000 of this user; 16 viewers take some 216"),
		},
		{
			"root has no limit",
			machine{files: limits(fstest.MapFS{"proc/self/status": {Data: []byte("Uid:\t0\t0\t0\t0\n")}}), request: Request{Viewers: 16}},
			ok("29700 more may be started, by the kernel's limit of 30000; 16 viewers take some 216"),
		},
		{
			"the service's",
			machine{files: limits(group(unit, "512", "12")), request: Request{Viewers: 16}},
			ok("500 more may be started, by the limit of 512 of the control group /system.slice/boardcast.service; 16 viewers take some 216"),
		},
		{
			"the service's is too low",
			machine{files: limits(group(unit, "200", "12")), request: Request{Viewers: 16}},
			warn("188 more threads may be started, by the limit of 200 of the control group /system.slice/boardcast.service: "+
				"enough for some 13 viewers, and viewers.max is 16", hintGroup),
		},
		{
			"that of a group above",
			machine{files: limits(group("sys/fs/cgroup/system.slice/", "120", "100")), request: Request{Viewers: 16}},
			warn("20 more threads may be started, by the limit of 120 of the control group /system.slice: "+
				"enough for some 0 viewers, and viewers.max is 16", hintGroup),
		},
		{
			"none in the group",
			machine{files: limits(group(unit, "max", "12")), request: Request{Viewers: 16}},
			ok("14700 more may be started, by the limit of 15000 of this user; 16 viewers take some 216"),
		},
		{
			"version 1 of the groups",
			machine{files: func() fstest.MapFS {
				files := limits(group("sys/fs/cgroup/pids/docker/ab/", "100", "40"))
				files["proc/self/cgroup"] = &fstest.MapFile{Data: []byte("9:memory:/x\n8:pids:/docker/ab\n0::/\n")}
				return files
			}(), request: Request{Viewers: 2}},
			warn("60 more threads may be started, by the limit of 100 of the control group /docker/ab: "+
				"enough for some 1 viewers, and viewers.max is 2", hintGroup),
		},
		{
			"a user's is low: its own threads are counted",
			machine{files: limits(fstest.MapFS{"proc/self/limits": {Data: []byte("Max processes   270   400   processes\n")}}), request: Request{Viewers: 16}},
			ok("250 more may be started, by the limit of 270 of this user; 16 viewers take some 216"),
		},
		{
			"a user's is reached",
			machine{files: limits(fstest.MapFS{"proc/self/limits": {Data: []byte("Max processes   10   400   processes\n")}}), request: Request{Viewers: 1}},
			warn("0 more threads may be started, by the limit of 10 of this user: enough for some 0 viewers, and viewers.max is 1", hintUser),
		},
		{
			"the kernel's",
			machine{files: limits(fstest.MapFS{"proc/sys/kernel/threads-max": {Data: []byte("400\n")}}), request: Request{Viewers: 16}},
			warn("100 more threads may be started, by the kernel's limit of 400: enough for some 5 viewers, and viewers.max is 16", hintKernel),
		},
	})
}
