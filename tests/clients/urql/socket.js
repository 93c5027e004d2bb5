import { subscriptionExchange } from "@urql/core";
import { createClient } from "graphql-ws";

/** An exchange, to stand last, that sends subscriptions over a WebSocket. */
export function socketExchange(url, token = () => undefined) {
  const socket = createClient({
    url: url.replace(/^http/, "ws"),
    connectionParams: () => (token() ? { authorization: `Bearer ${token()}` } : {}),
  });
  return subscriptionExchange({
    forwardSubscription: (operation) => ({
      subscribe: (sink) => ({ unsubscribe: socket.subscribe(operation, sink) }),
    }),
  });
}
