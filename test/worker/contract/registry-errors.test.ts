import { describe, expect, test } from 'vitest';
import { received } from '../../support/api.ts';
import { openCompany } from '../../support/company.ts';
import { faulted, shareOf } from '../../support/paths.ts';
import { expectProblem, gist } from '../../support/problem.ts';
import { aim, aimedOnce, fire, pathTo, type Route, routes, takesId, takesIfMatch } from '../../support/routes.ts';
import { sharedWorld } from '../../support/shared.ts';

const world = await sharedWorld();
const salon = await openCompany(world);

const JSON_TYPE = { 'Content-Type': 'application/json' };
const NOBODY = 'clnt_01h455vb4pex5vsknk084sn02q';
const apiOf = ({ spec }: Route) => (spec.anonymous === true ? salon.api.as(null) : salon.api);
/** Methods some route has for this very path. */
const methodsAt = (path: string): string[] =>
  routes.filter(({ spec }) => spec.path === path).map(({ method }) => method);

// Of the spellings of a fault each route meets a share, the next one another.
describe.each(faulted.map((route, turn) => [route.name, route, turn] as const))('%s', (_, route, turn) => {
  const { spec, method, name, fixture } = route;
  const anonymous = spec.anonymous === true;
  const aimed = aimedOnce(route, salon);

  if (!anonymous) {
    test('needs a token of ours', async () => {
      const shot = await aimed();
      const [head = '', claims = '', signature = ''] = String(salon.api.token).split('.');
      const forged = Buffer.from(
        JSON.stringify({ ...JSON.parse(Buffer.from(claims, 'base64url').toString()), role: 'ADMIN' }),
      ).toString('base64url');
      const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
      const others = ['garbage', `${head}.${forged}.${signature}`, `${none}.${claims}.`, `cpr_${'a'.repeat(43)}`];
      const basic = { Authorization: 'Basic dTpw' };
      for (const [token, headers] of [
        [null, {}] as const,
        ...shareOf([...others.map((each) => [each, {}] as const), [null, basic] as const], turn, 5),
      ]) {
        const reply = await fire(salon.api.as(token), shot, headers);
        expectProblem(reply, 'unauthenticated');
        expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/);
        expect(reply.headers.get('revision')).toBeNull();
      }
    });
  }

  test('a wrong verb is 405 with those that are allowed', async () => {
    const { path } = await aimed();
    const methods = methodsAt(spec.path);
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].sort();
    for (const wrong of ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'].filter((each) => !methods.includes(each))) {
      const reply = await salon.api.ask(wrong, path);
      expectProblem(reply, 'method_not_allowed');
      expect((reply.headers.get('allow') ?? '').split(', ').sort()).toEqual(allow);
    }
    expectProblem(await salon.api.ask(method, `${path.split('?')[0]}/there/is/nothing`), 'not_found');
  });

  if (spec.body !== undefined) {
    test('a body that is no JSON, of another type, too large or absent', async () => {
      const { path, headers: own = {} } = await aimed();
      const api = apiOf(route);
      const send = (raw: string | Uint8Array, headers: Record<string, string> = JSON_TYPE) =>
        api.ask(method, path, { raw, headers: { ...headers, ...own } });
      const malformed = ['{"a":', 'undefined', '{} {}', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])];
      for (const raw of shareOf(malformed, turn, 4)) expectProblem(await send(raw), 'malformed_json');
      const types = ['text/plain', 'application/xml', 'application/x-www-form-urlencoded', 'application/jsonx'];
      const refused = [
        ...types.map((type) => ({ 'Content-Type': type })),
        { ...JSON_TYPE, 'Content-Encoding': 'gzip' },
      ];
      for (const headers of shareOf(refused, turn, 5))
        expectProblem(await send('{}', headers), 'unsupported_media_type');
      const large = JSON.stringify({ firstName: 'x'.repeat((anonymous ? 17 : 1024) * 1024) });
      const whole = () => send(large);
      // Without a length, so that only the counting can notice.
      const chunked = async () => {
        const answer = await fetch(`${api.url}/api/v1${path}`, {
          method,
          headers: { ...JSON_TYPE, ...own, ...(api.token !== null && { Authorization: `Bearer ${api.token}` }) },
          body: new Blob([large]).stream(),
          duplex: 'half',
        } as RequestInit);
        return received(method, path, answer);
      };
      for (const ask of shareOf([whole, chunked], turn, 2)) expectProblem(await ask(), 'payload_too_large');
      if (spec.optionalBody !== true) expectProblem(await api.ask(method, path, { headers: own }), 'empty_body');
    });

    test('every fault of a body is named at once, by its pointer', async () => {
      const { path, body, headers = {} } = await aimed();
      const invalid = fixture.invalid?.[name];
      if (invalid === undefined) throw new Error(`the fixture of ${route.topic} has no invalid body for ${name}`);
      const all = expectProblem(
        await fire(apiOf(route), { method, path, body: invalid.body, id: null, headers }),
        'invalid_body',
      );
      expect(all.map(({ pointer }) => pointer).sort()).toEqual(invalid.pointers);
      const unknown = { ...body, 'no/such~field': 1 };
      const [fault, ...others] = expectProblem(
        await fire(apiOf(route), { method, path, body: unknown, id: null, headers }),
        'invalid_body',
      );
      expect([fault?.pointer, fault?.code, others]).toEqual(['/no~1such~0field', 'unknown_field', []]);
      for (const value of shareOf(['[]', '"x"', '7', 'null', 'true'], turn, 5)) {
        expectProblem(
          await apiOf(route).ask(method, path, { raw: value, headers: { ...JSON_TYPE, ...headers } }),
          'invalid_body',
        );
      }
    });
  } else if (method !== 'GET') {
    test('takes no body fields', async () => {
      const { path } = await aimed();
      const [fault] = expectProblem(await salon.api.ask(method, path, { body: { nonsense: 1 } }), 'invalid_body');
      expect(fault).toMatchObject({ pointer: '/nonsense', code: 'unknown_field' });
    });
  }

  if (!anonymous) {
    test('an unknown query parameter is named beside those allowed', async () => {
      const shot = await aimed();
      const reply = await fire(salon.api, {
        ...shot,
        path: `${shot.path}${shot.path.includes('?') ? '&' : '?'}nonsense=1&limit=10`,
      });
      const [fault, ...others] = expectProblem(reply, 'unknown_parameter');
      expect([fault?.parameter, fault?.code]).toEqual(['nonsense', 'unknown_parameter']);
      if (spec.list === undefined && spec.query?.limit === undefined)
        expect(others[0]?.parameter ?? 'limit').toBe('limit');
      const list = spec.list === undefined ? [] : ['page', 'limit', 'cursor', ...Object.keys(spec.list.filters)];
      const allowed = [...list, ...Object.keys(spec.query ?? {}), ...(spec.detail === undefined ? [] : ['fields'])];
      for (const parameter of allowed) expect(fault?.detail).toContain(parameter);
    });
  }

  if (!anonymous && method === 'GET') {
    test('Min-Revision is a number the company has reached', async () => {
      const { path } = await aimed();
      for (const wrong of shareOf(['x', '-1', '1.5', '1e3', '9007199254740993', '0x1', ''], turn, 7)) {
        const [fault] = expectProblem(
          await salon.api.get(path, { headers: { 'Min-Revision': wrong } }),
          'invalid_min_revision',
        );
        expect(fault?.parameter).toBe('Min-Revision');
      }
      const reply = await salon.api.get(path, { headers: { 'Min-Revision': '9007199254740991' } });
      expectProblem(reply, 'revision_ahead', ['revision']);
      expect(reply.json.revision).toBeLessThan(10_000);
    });
  }

  if (takesId(route)) {
    test('malformed, foreign-kinded and unknown ids are one 404', async () => {
      const { body, id, headers = {} } = await aimed();
      const unknown = await fire(salon.api, { method, path: pathTo(route, NOBODY), body, id, headers });
      expectProblem(unknown, 'not_found');
      // Whatever is there would match; nothing is (RFC 9110, 13.1.2).
      const any = { 'If-None-Match': '*', 'Cache-Control': 'max-age=0' };
      const looked = await fire(salon.api, { method, path: pathTo(route, NOBODY), body, id, headers }, any);
      expect(looked.status).toBe(404);
      const wrong = [
        'x',
        '%ff',
        '%00',
        '..%2f',
        `x${id}`,
        `${id}x`,
        String(id).toUpperCase(),
        String(id).replace(/^[a-z]+/, 'comp'),
      ];
      // A secret may have no letters to change.
      for (const text of shareOf(
        wrong.filter((each) => each !== id),
        turn,
        3,
      )) {
        const reply = await fire(salon.api, { method, path: pathTo(route, text), body, id, headers });
        expectProblem(reply, 'not_found');
        const [theirs, ours] = [unknown, reply].map((each) => ({
          ...gist(each),
          text: { ...each.json, instance: '', requestId: '' },
        }));
        expect(ours).toEqual(theirs);
      }
    });
  }

  if (takesIfMatch(route)) {
    test('If-Match of another version is 412 and changes nothing', async () => {
      const shot = await aim(route, salon);
      const head = (await salon.api.get('/events')).json.head;
      const at = shot.id === null ? spec.path : `/${route.topic}/${shot.id}`;
      const present = await salon.api.get(at);
      const { version } = present.json;
      const others = ['"99999999999"', `W/"${version}"`, `${version}`, '"x"', `"${version}", "2"`];
      for (const wrong of ['"999"', ...shareOf(others, turn, 5)]) {
        const reply = await fire(salon.api, shot, { 'If-Match': wrong });
        expect(reply.status, `If-Match: ${wrong}`).toBe(412);
        expectProblem(reply, 'version_mismatch');
        expect(reply.json.detail).toContain(`present version is ${version}. `);
        expect(reply.json.detail).toContain(`If-Match: "${version}"`);
      }
      const etag = String(present.headers.get('etag'));
      expect((await fire(salon.api, shot, { 'If-Match': etag })).status).toBe(412);
      expect((await salon.api.get('/events')).json.head).toBe(head);
      const isGone = spec.success.status === 204;
      const right = await fire(salon.api, shot, { 'If-Match': `"${version}"` });
      expect(right.status, right.text).toBe(spec.success.status);
      expect((await fire(salon.api, shot, { 'If-Match': '*' })).status).toBe(isGone ? 404 : spec.success.status);
    });
  }
});
