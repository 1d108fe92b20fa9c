import { defineConfig } from '@hey-api/openapi-ts';

export default defineConfig({
  input: '../../services/query-api/src/query_api/openapi.json',
  output: {
    path: 'src/generated',
    importFileExtension: '.js',
  },
  parser: {
    patch: {
      // The page /docs, its files and the document itself: for browsers and generators.
      input: (document) => {
        for (const path of ['/', '/docs', '/docs/{asset}', '/openapi.json']) {
          if (!('paths' in document) || !document.paths?.[path]) throw new Error(`the document has no path ${path}`);
          delete document.paths[path];
        }
      },
      operations: {
        // OpenAPI 3.1 can only say that a stream is text; the generator takes the schema as that of an event's data.
        'GET /shipments/{tracking_number}/stream': (operation) => {
          const content = operation.responses?.['200'];
          if (!content || '$ref' in content || !content.content?.['text/event-stream']) {
            throw new Error('the stream of a shipment is described in another way than this patch expects');
          }
          content.content['text/event-stream'].schema = {
            type: 'object',
            required: ['version', 'current_status'],
            properties: { version: { type: 'integer' }, current_status: { $ref: '#/components/schemas/Status' } },
          };
        },
      },
    },
  },
  plugins: [
    // `Error` would hide the type of JavaScript that has this name.
    { name: '@hey-api/typescript', definitions: { name: (name) => (name === 'Error' ? 'ErrorBody' : name) } },
    '@hey-api/sdk',
    // The document's server is `/`; a caller names its own.
    { name: '@hey-api/client-fetch', baseUrl: false },
  ],
});
