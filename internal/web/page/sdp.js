// The little that the page must read in a session description itself. Pure.

const DIRECTIONS = ["sendrecv", "sendonly", "recvonly", "inactive"];

/**
 * The media sections in order. `direction` is the writer's point of view; `rejected` sections carry nothing.
 * @returns {{kind: string, mid: string|null, direction: string, rejected: boolean}[]}
 */
export function sections(sdp) {
  const [head, ...parts] = sdp.split(/\r?\n(?=m=)/);
  const common = directionOf(head) ?? "sendrecv";
  return parts.map((part) => {
    const [kind, port] = part.slice(2).split(" ");
    const rejected = port === "0" && !/^a=bundle-only\s*$/m.test(part);
    const mid = /^a=mid:(\S+)/m.exec(part)?.[1] ?? null;
    return { kind, mid, direction: directionOf(part) ?? common, rejected };
  });
}

function directionOf(part) {
  return DIRECTIONS.find((direction) => new RegExp(`^a=${direction}\\s*$`, "m").test(part));
}

/** Whether the writer of this description sends the kind of media. */
export const sends = (sdp, kind) => has(sdp, kind, ["sendrecv", "sendonly"]);

/** Whether the writer of this description wants to receive the kind of media. */
export const receives = (sdp, kind) => has(sdp, kind, ["sendrecv", "recvonly"]);

function has(sdp, kind, directions) {
  return sections(sdp).some((s) => s.kind === kind && !s.rejected && directions.includes(s.direction));
}
