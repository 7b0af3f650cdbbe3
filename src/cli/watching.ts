/** What the daemon shows to machines that watch it: metrics, and whether it lives and is ready. */

import type { Standing } from '../domain/standing.ts';
import { TdsyncError } from '../errors.ts';
import type { HttpServer, Page } from '../ops/http-server.ts';
import { buildMetric, renderMetrics, standingMetrics } from '../report/metrics.ts';
import { freshness } from './freshness.ts';
import { locating, type Session } from './session.ts';
import { programVersion } from './version.ts';

/** Prometheus documentation, "Exposition formats". */
const expositionType = 'text/plain; version=0.0.4; charset=utf-8';

/**
 * Listens when the configuration says so. The snapshot is opened for each request, so that one that was restored is seen, and
 * nothing is held between them. Throws ConfigError when it cannot listen.
 */
export async function startWatching(session: Session): Promise<HttpServer | undefined> {
  const { configuration, rim } = session;
  const { server } = configuration;
  if (server === undefined) return undefined;
  const [{ startHttpServer }, { processMetrics }, { openSnapshot }] = await Promise.all([
    import('../ops/http-server.ts'),
    import('../ops/process-metrics.ts'),
    import('../store/snapshot.ts'),
  ]);

  function standing(): Standing {
    using snapshot = openSnapshot(configuration.snapshot.path, 'read', configuration.rules.organization);
    return snapshot.standing();
  }

  function metrics(): Page {
    const all = [buildMetric(programVersion(), process.version), ...standingMetrics(standing()), ...processMetrics()];
    return { status: 200, type: expositionType, body: renderMetrics(all) };
  }

  function ready(): Page {
    const { lastGoodRunAt } = standing();
    const { stale, reason } = freshness(lastGoodRunAt, rim.clock.now(), server?.maxAgeMs ?? 0);
    const lastGoodRun = lastGoodRunAt === undefined ? undefined : new Date(lastGoodRunAt).toISOString();
    return json(stale ? 503 : 200, { ready: !stale, ...(reason !== undefined && { reason }), lastGoodRun });
  }

  const pages = { '/metrics': metrics, '/health/live': () => json(200, { live: true }), '/health/ready': ready };
  const watching = await locating(session, () => startHttpServer(server, pages, onFailure));
  rim.logger.info({ url: watching.url, paths: Object.keys(pages) }, 'health and metrics are served');
  return watching;

  function onFailure(path: string, error: unknown): void {
    const { code, hint } = error instanceof TdsyncError ? error : { code: 'internal', hint: undefined };
    const message = error instanceof Error ? error.message : String(error);
    rim.logger.warn({ path, code, hint }, `${path} could not be answered: ${message}`);
  }
}

function json(status: number, content: object): Page {
  return { status, type: 'application/json; charset=utf-8', body: `${JSON.stringify(content)}\n` };
}
