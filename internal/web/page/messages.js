// What is said on the wire of the HELLO/SESSION protocol: text to message and back. Pure; page_test/golden.json holds
// the examples that every implementation of the protocol shares.

/** @typedef {{type: string, [member: string]: unknown}} Message */

export const hello = (id) => `HELLO ${id}`;
export const session = (peer) => `SESSION ${peer}`;
export const OFFER_REQUEST = "OFFER_REQUEST";
export const sdp = ({ type, sdp }) => JSON.stringify({ sdp: { type, sdp } });

/** A candidate as a browser has it; members without a value are left out. */
export function ice({ candidate, sdpMid, sdpMLineIndex, usernameFragment }) {
  const members = Object.entries({ candidate, sdpMid, sdpMLineIndex, usernameFragment });
  return JSON.stringify({ ice: Object.fromEntries(members.filter(([, value]) => value !== null && value !== undefined)) });
}

/**
 * Reads one text frame. Never throws: what is not understood has the type "unknown". Words may be followed by more
 * text, and JSON may have members we do not know, because servers and browsers add their own.
 * @returns {Message}
 */
export function parse(text) {
  const word = /^\S*/.exec(text)[0];
  switch (word) {
    case "HELLO":
      return { type: "hello" };
    case "SESSION_OK":
      return { type: "session-ok" };
    case "OFFER_REQUEST":
      return { type: "offer-request" };
    case "ERROR":
      return parseError(text.slice(word.length).trim());
    default:
      return parseJSON(text);
  }
}

function parseError(text) {
  if (/\bnot found$/.test(text)) return { type: "error", reason: "not-found", text };
  if (/\bbusy$/.test(text)) return { type: "error", reason: "busy", text };
  return { type: "error", reason: "other", text };
}

function parseJSON(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return { type: "unknown" };
  }
  const { sdp, ice } = value ?? {};
  if ((sdp?.type === "offer" || sdp?.type === "answer") && typeof sdp.sdp === "string") {
    return { type: "sdp", sdp: { type: sdp.type, sdp: sdp.sdp } };
  }
  if (typeof ice?.candidate === "string" && (Number.isInteger(ice.sdpMLineIndex) || typeof ice.sdpMid === "string")) {
    return { type: "ice", ice: pick(ice, ["candidate", "sdpMid", "sdpMLineIndex", "usernameFragment"]) };
  }
  return { type: "unknown" };
}

function pick(object, names) {
  return Object.fromEntries(names.filter((name) => object[name] != null).map((name) => [name, object[name]]));
}
