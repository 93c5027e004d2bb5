import { ApolloLink } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { OperationTypeNode } from "graphql";
import { createClient } from "graphql-ws";

/** Send subscriptions over a WebSocket, and everything else over another link. */
export function withSocket(link, url, token = () => undefined) {
  const socket = createClient({
    url: url.replace(/^http/, "ws"),
    connectionParams: () => (token() ? { authorization: `Bearer ${token()}` } : {}),
  });
  return ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(socket),
    link,
  );
}
