// The browser has the key now: goes on to the page, by an address without the key.

import { withoutKey } from "./address.js";

location.replace(withoutKey(location.href));
