import { Hono } from 'hono';

/** The least a Hono Worker can do: the same bytes, a content type, nothing else. */
const app = new Hono<{ Bindings: { BODY: string } }>();
app.get('/api/v1/clients', (c) => c.body(c.env.BODY, 200, { 'Content-Type': 'application/json' }));

export default app;
