// Builds the page into blog_graphql/_graphiql: index.html, and in assets/ all that it loads,
// named by content and compressed ahead of time.

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { build } from 'esbuild';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const OUTPUT = fileURLToPath(new URL('../../blog_graphql/_graphiql/', import.meta.url));
const ASSETS = join(OUTPUT, 'assets');
// The best two levels take ten times as long, for a twelfth less.
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
const COMPRESSIBLE = /\.(css|js|svg|ttf|txt)$/;

const options = {
  absWorkingDir: HERE,
  bundle: true,
  minify: true,
  metafile: true,
  target: 'es2022',
  define: { 'process.env.NODE_ENV': '"production"' },
  legalComments: 'none', // licenses() has the whole texts
  logLevel: 'warning',
};

const bundled = new Set(); // the files that went in

// `import url from 'a-worker.js?worker'`: bundled for itself, so that it is a file of this origin.
const workers = {
  name: 'workers',
  setup({ onLoad, onResolve, resolve }) {
    onResolve({ filter: /\?worker$/ }, async ({ path, resolveDir, kind }) => {
      const worker = await resolve(path.replace(/\?worker$/, ''), { resolveDir, kind });
      return { ...worker, namespace: 'worker' };
    });
    onLoad({ filter: /./, namespace: 'worker' }, async ({ path }) => {
      const { outputFiles, metafile } = await build({
        ...options,
        entryPoints: [path],
        format: 'iife',
        write: false,
      });
      note(metafile);
      return { contents: outputFiles[0].contents, loader: 'file' };
    });
  },
};

// GraphiQL's style sheet has its fonts inside: as files, only those in use are loaded.
const fonts = {
  name: 'fonts',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /^data:font\// }, ({ path: url }) => {
      const [, type, data] = /^data:font\/(\w+);base64,(.*)$/s.exec(url);
      const contents = Buffer.from(data, 'base64');
      return { path: `font-${hash(contents)}.${type}`, namespace: 'font', pluginData: contents };
    });
    onLoad({ filter: /./, namespace: 'font' }, ({ pluginData }) => {
      return { contents: pluginData, loader: 'file' };
    });
  },
};

// GraphiQL's style sheet has Monaco's as well.
const styles = {
  name: 'styles',
  setup({ onLoad }) {
    onLoad({ filter: /\/monaco-editor\/.*\.css$/ }, () => ({ contents: '', loader: 'empty' }));
  },
};

await rm(OUTPUT, { recursive: true, force: true });
const { metafile } = await build({
  ...options,
  entryPoints: { graphiql: 'src/main.jsx', icon: 'icon.svg' },
  outdir: ASSETS,
  entryNames: '[name]-[hash]',
  chunkNames: 'chunk-[hash]',
  assetNames: '[name]-[hash]',
  format: 'esm',
  splitting: true,
  jsx: 'automatic',
  loader: { '.graphql': 'text', '.svg': 'copy' },
  plugins: [workers, fonts, styles],
});
note(metafile);
await add('licenses', '.txt', await licenses());
await compress();
await writePage();

function note({ inputs }) {
  for (const file of Object.keys(inputs)) bundled.add(resolve(HERE, file.replace(/^\w+:/, '')));
}

function hash(contents) {
  return createHash('sha256').update(contents).digest('hex').slice(0, 8).toUpperCase();
}

async function add(name, suffix, contents) {
  await writeFile(join(ASSETS, `${name}-${hash(contents)}${suffix}`), contents);
}

// The licence of each package that is in the bundle.
async function licenses() {
  const folders = new Set();
  for (const file of bundled) {
    const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file);
    if (folder) folders.add(folder[0]);
  }
  const parts = [await readFile(join(HERE, 'licenses.txt'), 'utf8')];
  for (const folder of [...folders].sort()) {
    const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json')));
    parts.push(`${name} ${version} (${license})\n\n${await licenseText(folder)}`);
  }
  return parts.map((part) => part.trim()).join(`\n\n${'-'.repeat(80)}\n\n`) + '\n';
}

async function licenseText(folder) {
  const names = (await readdir(folder)).filter((name) => /^(licen[cs]e|notice|thirdparty)/i.test(name));
  return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('\n\n');
}

async function compress() {
  const names = (await readdir(ASSETS)).filter((name) => COMPRESSIBLE.test(name));
  await Promise.all(names.map(async (name) => {
    const contents = await readFile(join(ASSETS, name));
    await Promise.all([
      promisify(gzip)(contents, { level: 9 }).then((small) => writeFile(join(ASSETS, `${name}.gz`), small)),
      promisify(brotliCompress)(contents, BROTLI).then((small) => writeFile(join(ASSETS, `${name}.br`), small)),
    ]);
  }));
}

// Last, and at once: whoever sees the page finds what it loads.
async function writePage() {
  const names = await readdir(ASSETS);
  const page = await readFile(join(HERE, 'index.html'), 'utf8');
  const linked = page.replace(/\$assets\/(\w+)(\.\w+)/g, (_, name, suffix) => {
    return `$assets/${names.find((found) => found.startsWith(`${name}-`) && found.endsWith(suffix))}`;
  });
  await mkdir(OUTPUT, { recursive: true });
  await writeFile(join(OUTPUT, 'index.html.new'), linked);
  await rename(join(OUTPUT, 'index.html.new'), join(OUTPUT, 'index.html'));
}
