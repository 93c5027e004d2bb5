import 'graphiql/style.css';
import './style.css';

import { useGraphiQL } from '@graphiql/react';
import { GraphiQL } from 'graphiql';
import { useEffect } from 'react';
import { createRoot } from 'react-dom/client';

import editorWorker from 'monaco-editor/esm/vs/editor/editor.worker.js?worker';
import jsonWorker from 'monaco-editor/esm/vs/language/json/json.worker.js?worker';
import graphqlWorker from 'monaco-graphql/esm/graphql.worker.js?worker';

import { createFetcher } from './fetcher.js';
import { OwnStorage } from './storage.js';
import { HEADERS, TABS } from './tour.js';

const WORKERS = { json: jsonWorker, graphql: graphqlWorker };

globalThis.MonacoEnvironment = {
  getWorker: (_id, label) => new Worker(new URL(WORKERS[label] ?? editorWorker, import.meta.url)),
};

// The page has the endpoint's own address, whatever proxies made of it.
const fetcher = createFetcher(new URL(location.origin + location.pathname));
const storage = new OwnStorage(`blog-graphql:${location.pathname}:`);

// Lines that are too long are wrapped, as GraphiQL does it in answers alone.
function WrappedEditors() {
  const editors = useGraphiQL((state) => [state.queryEditor, state.variableEditor, state.headerEditor]);
  useEffect(() => editors.forEach((editor) => editor?.updateOptions({ wordWrap: 'on' })), editors);
  return null;
}

// Monaco measures its font once, when it starts.
await document.fonts.load('15px "Fira Code"').catch(() => {});

createRoot(document.getElementById('graphiql')).render(
  <GraphiQL
    fetcher={fetcher}
    defaultTabs={TABS}
    defaultHeaders={HEADERS}
    defaultEditorToolsVisibility="variables"
    storage={storage}
    // Tokens are not kept unless asked for, and then for longer than one page.
    shouldPersistHeaders={storage.keepsHeaders}
    showPersistHeadersSettings={true}
    inputValueDeprecation={true}
    schemaDescription={true}
  >
    <GraphiQL.Logo>
      <strong className="logo">blog-graphql</strong>
    </GraphiQL.Logo>
    <WrappedEditors />
  </GraphiQL>,
);
