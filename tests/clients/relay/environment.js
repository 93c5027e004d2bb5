import { createClient } from "graphql-ws";
import { Environment, Network, Observable, RecordSource, Store } from "relay-runtime";

/** For `http://127.0.0.1:8000/graphql`; `token()` is the access token, if there is one. */
export function makeEnvironment(url, token = () => undefined) {
  const authorization = () => (token() ? { authorization: `Bearer ${token()}` } : {});
  const socket = createClient({
    url: url.replace(/^http/, "ws"),
    connectionParams: authorization,
  });
  const fetchOperation = async ({ text: query }, variables) => {
    const response = await fetch(url, {
      method: "POST",
      headers: {
        accept: "application/graphql-response+json, application/json",
        "content-type": "application/json",
        ...authorization(),
      },
      body: JSON.stringify({ query, variables }),
    });
    return response.json();
  };
  const subscribe = ({ text: query, name: operationName }, variables) =>
    Observable.create((sink) => socket.subscribe({ query, operationName, variables }, sink));
  return new Environment({
    network: Network.create(fetchOperation, subscribe),
    store: new Store(new RecordSource()),
  });
}
