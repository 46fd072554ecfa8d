// What stands in the page's address.

/** The page's address without the key of a link; whatever else is there stays. */
export function withoutKey(href) {
  const url = new URL(href);
  url.searchParams.delete("key");
  return new URL(`./${url.search}${url.hash}`, url).href;
}
