import { Kind, OperationTypeNode, parse } from 'graphql';
import { createClient } from 'graphql-ws';

const HEADERS = {
  Accept: 'application/graphql-response+json, application/json;q=0.9',
  'Content-Type': 'application/json',
};

// Sends queries and mutations by fetch, and subscriptions over graphql-transport-ws with the
// headers pane as connection_init's payload, all to one address.
export function createFetcher(endpoint) {
  const socket = new URL(endpoint);
  socket.protocol = endpoint.protocol.replace('http', 'ws');

  return (params, { headers } = {}) => {
    const operation = chosen(params);
    const named = { ...params, operationName: operation?.name?.value };
    return operation?.operation === OperationTypeNode.SUBSCRIPTION
      ? subscribe(socket.href, named, headers)
      : send(endpoint, named, headers);
  };
}

// The operation to run. GraphiQL reads a document a moment after it changed: run at once, coming
// from another tab, it would go by that one's name and kind.
function chosen({ query, operationName }) {
  const operations = definitions(query).filter(({ kind }) => kind === Kind.OPERATION_DEFINITION);
  return operations.find(({ name }) => name?.value === operationName) ?? operations[0];
}

function definitions(query) {
  try {
    return parse(query).definitions;
  } catch {
    return []; // the server says what is wrong with it
  }
}

async function send(endpoint, params, headers) {
  const body = JSON.stringify(params);
  const response = await fetch(endpoint, { method: 'POST', headers: { ...HEADERS, ...headers }, body });
  if (!response.headers.get('Content-Type')?.includes('json')) {
    return failure(`The answer is no JSON: ${response.status} ${response.statusText}`);
  }
  return response.json();
}

// An observable, as GraphiQL takes it.
function subscribe(url, params, connectionParams) {
  return {
    subscribe({ next, complete, error }) {
      const client = createClient({ url, connectionParams });
      const unsubscribe = client.subscribe(params, {
        next,
        complete,
        error(reason) {
          if (!(reason instanceof CloseEvent)) return error(reason);
          next(failure(`The socket was closed: ${reason.code} ${reason.reason}`));
          complete();
        },
      });
      return { unsubscribe };
    },
  };
}

function failure(message) {
  return { errors: [{ message }] };
}
