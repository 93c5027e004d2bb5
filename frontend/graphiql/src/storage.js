// What the page keeps in the browser. GraphiQL's own keys would be shared with every other
// GraphiQL of the same origin, and on localhost the next project's has that too.

const KEEPS_HEADERS = 'graphiql:shouldPersistHeaders';
const HISTORY = ['graphiql:queries', 'graphiql:favorites'];

export class OwnStorage {
  #prefix;

  constructor(prefix) {
    this.#prefix = prefix;
  }

  // Whether the user wants headers, which hold tokens, to outlast the page.
  get keepsHeaders() {
    return this.getItem(KEEPS_HEADERS) === 'true';
  }

  get length() {
    return this.#keys().length;
  }

  getItem(key) {
    return localStorage.getItem(this.#prefix + key);
  }

  setItem(key, value) {
    // GraphiQL's history has the headers in any case.
    const kept = HISTORY.includes(key) && !this.keepsHeaders ? withoutHeaders(value) : value;
    localStorage.setItem(this.#prefix + key, kept);
    if (key === KEEPS_HEADERS) {
      HISTORY.forEach((name) => this.getItem(name) && this.setItem(name, this.getItem(name)));
    }
  }

  removeItem(key) {
    localStorage.removeItem(this.#prefix + key);
  }

  clear() {
    this.#keys().forEach((key) => localStorage.removeItem(key));
  }

  #keys() {
    return Object.keys(localStorage).filter((key) => key.startsWith(this.#prefix));
  }
}

function withoutHeaders(json) {
  return JSON.stringify(JSON.parse(json), (key, value) => (key === 'headers' ? undefined : value));
}
