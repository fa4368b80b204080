import { stripTypeScriptTypes } from 'node:module';

/** Webpack loader: types become blanks, as Jest does it, so that coverage of bundle and module lies on the same lines. */
export default function stripTypes(source) {
  return stripTypeScriptTypes(source);
}
