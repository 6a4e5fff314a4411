// In the place of the half of zod that writes schemas out (`[alias]` of wrangler.toml): the document is made when the site is
// (local/site), and a Worker is never asked for a schema. What this leaves out is missed by the build.

const unasked = (): never => {
  throw new Error('No schema is written out in a Worker.');
};

/** Asked for by zod where another library asks a schema what it can. */
export const createStandardJSONSchemaMethod = () => unasked;

export {
  unasked as aggregateChecks,
  unasked as allProcessors,
  unasked as anyProcessor,
  unasked as arrayProcessor,
  unasked as bigintProcessor,
  unasked as booleanProcessor,
  unasked as catchProcessor,
  unasked as createToJSONSchemaMethod,
  unasked as customProcessor,
  unasked as dateProcessor,
  unasked as defaultProcessor,
  unasked as enumProcessor,
  unasked as extractDefs,
  unasked as fileProcessor,
  unasked as finalize,
  unasked as functionProcessor,
  unasked as handleUnrepresentable,
  unasked as initializeContext,
  unasked as intersectionProcessor,
  unasked as js,
  unasked as lazyProcessor,
  unasked as literalProcessor,
  unasked as mapProcessor,
  unasked as nanProcessor,
  unasked as neverProcessor,
  unasked as nonoptionalProcessor,
  unasked as nullProcessor,
  unasked as nullableProcessor,
  unasked as numberProcessor,
  unasked as objectProcessor,
  unasked as optionalProcessor,
  unasked as pipeProcessor,
  unasked as prefaultProcessor,
  unasked as processSchema,
  unasked as promiseProcessor,
  unasked as readonlyProcessor,
  unasked as recordProcessor,
  unasked as setProcessor,
  unasked as stringProcessor,
  unasked as successProcessor,
  unasked as symbolProcessor,
  unasked as templateLiteralProcessor,
  unasked as toJSONSchema,
  unasked as transformProcessor,
  unasked as tupleProcessor,
  unasked as undefinedProcessor,
  unasked as unionProcessor,
  unasked as unknownProcessor,
  unasked as voidProcessor,
};
