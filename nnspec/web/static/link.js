// A spec in a link: #spec= and the raw-deflated UTF-8 text in base64url without padding.
const KEY = "spec";
const LONGEST = 1_000_000; // characters of a text from a link

/** Return the fragment of a link that carries a text, with its #. */
export async function fragmentOf(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return `#${KEY}=${btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

/** Return the text that a fragment carries, null if it carries none. Throws an Error if it is damaged or too long. */
export async function textOf(fragment) {
  const value = new URLSearchParams(fragment.replace(/^#/, "")).get(KEY);
  if (value === null) return null;
  try {
    const binary = atob(value.replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
    const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    const decoder = new TextDecoder("utf-8", { fatal: true });
    let text = "";
    for (;;) {
      const { done, value: chunk } = await reader.read();
      if (done) return text + decoder.decode();
      text += decoder.decode(chunk, { stream: true });
      if (text.length > LONGEST) {
        await reader.cancel();
        throw new Error("too long");
      }
    }
  } catch (error) {
    throw new Error(`The spec in this link cannot be read: the link is damaged or cut off (${error.message}).`);
  }
}
