/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - tell monitoring how the relay is: HTTP on this machine */

#include "relay/metrics.h"
#include "base/bytes.h"
#include "base/log.h"
#include "relay/counters.h"
#include "relay/relay.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Each returns HTTP's status. */
static unsigned int write_metrics(const struct relay *relay, FILE *out)
{
	counters_write_metrics(out, relay);
	return MHD_HTTP_OK;
}

static unsigned int write_health(const struct relay *relay, FILE *out)
{
	bool is_well = !relay->is_draining && !relay->is_stopping;

	fputs(is_well ? "ok\n" : "draining\n", out);
	return is_well ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE;
}

static unsigned int write_missing(const struct relay *relay, FILE *out)
{
	fputs("there is /metrics and /health\n", out);
	return MHD_HTTP_NOT_FOUND;
}

static const struct page {
	const char *path;
	const char *type;
	unsigned int (*write)(const struct relay *relay, FILE *out);
} pages[] = {
	{ "/metrics", "text/plain; version=0.0.4", write_metrics },
	{ "/health", "text/plain", write_health },
	{ NULL, "text/plain", write_missing }, /* the last one */
};

static const struct page *page_find(const char *path)
{
	const struct page *page = pages;

	while (page->path && strcmp(page->path, path) != 0)
		page++;
	return page;
}

/* `text` is freed with the response. */
static enum MHD_Result respond(struct MHD_Connection *connection,
			       unsigned int status, const char *type,
			       char *text, size_t bytes)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		bytes, text, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!response) {
		free(text);
		return MHD_NO;
	}
	result = MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
					 type);
	if (result == MHD_YES)
		result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

/* libmicrohttpd calls this first with the head, then with each part of a body
 * and at the end: only heads are looked at, and who sends more than one is not
 * heard. */
static enum MHD_Result on_request(void *owner,
				  struct MHD_Connection *connection,
				  const char *path, const char *method,
				  const char *version, const char *body,
				  size_t *body_bytes, void **state)
{
	const struct page *page = page_find(path);
	unsigned int status;
	char *text = NULL;
	size_t bytes = 0;
	FILE *out;

	if (!*state) {
		*state = owner; /* not the first call any more */
		return MHD_YES;
	}
	if (*body_bytes)
		return MHD_NO;
	out = open_memstream(&text, &bytes);
	if (!out)
		return MHD_NO;
	status = page->write(owner, out);
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
	    strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
	if (fclose(out)) {
		free(text);
		return MHD_NO;
	}
	return respond(connection, status, page->type, text, bytes);
}

static void run(struct metrics *m)
{
	MHD_UNSIGNED_LONG_LONG limit_ms;

	/* Twice: at METRICS_CLIENTS it looks away from the socket, and looks
	 * there again at the beginning of the run behind one that ended a
	 * connection. */
	(void)MHD_run(m->daemon);
	(void)MHD_run(m->daemon);
	if (MHD_get_timeout(m->daemon, &limit_ms) == MHD_YES)
		loop_timer_arm(&m->timer, limit_ms);
	else
		loop_timer_disarm(&m->timer);
}

static void on_ready(struct loop_watch *watch, unsigned int events)
{
	run(list_entry(watch, struct metrics, watch));
}

static void on_due(struct loop_timer *timer)
{
	run(list_entry(timer, struct metrics, timer));
}

/* What monitoring is told is nobody else's business. */
static bool is_local(int fd)
{
	struct sockaddr_storage at = { 0 };
	socklen_t bytes = sizeof(at);
	const struct sockaddr_in *ip4 = (const struct sockaddr_in *)&at;
	const struct sockaddr_in6 *ip6 = (const struct sockaddr_in6 *)&at;

	if (getsockname(fd, (struct sockaddr *)&at, &bytes))
		return false;
	if (at.ss_family == AF_INET)
		return ntohl(ip4->sin_addr.s_addr) >> 24 == 127;
	if (at.ss_family == AF_INET6)
		return IN6_IS_ADDR_LOOPBACK(&ip6->sin6_addr);
	return at.ss_family == AF_UNIX;
}

static int start(struct metrics *m, struct relay *relay)
{
	const union MHD_DaemonInfo *info;

	m->daemon =
		MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request,
				 relay, MHD_OPTION_LISTEN_SOCKET,
				 m->listener.fd, MHD_OPTION_CONNECTION_LIMIT,
				 METRICS_CLIENTS, MHD_OPTION_CONNECTION_TIMEOUT,
				 METRICS_TIMEOUT_S, MHD_OPTION_END);
	if (!m->daemon)
		return -EIO;
	info = MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	return loop_watch_add(relay->loop, &m->watch, info->epoll_fd, LOOP_READ,
			      on_ready);
}

/* The socket is open; `name` is what the log calls it. */
static int serve(struct relay *relay, const char *name)
{
	struct metrics *m = &relay->metrics;
	int error;

	m->relay = relay;
	loop_timer_init(relay->loop, &m->timer, on_due);
	if (!is_local(m->listener.fd)) {
		log_error("%s: metrics are for this machine only: a loopback "
			  "address or unix:PATH",
			  name);
		return -EINVAL;
	}
	error = start(m, relay);
	if (error)
		log_error("%s: %s", name, strerror(-error));
	else
		log_info("metrics on %s", m->listener.name);
	return error;
}

int metrics_open(struct relay *relay, const char *address)
{
	int count = listener_open(&relay->metrics.listener, 1, address,
				  LISTENER_OTHER);

	return count < 0 ? count : serve(relay, address);
}

int metrics_adopt(struct relay *relay, int fd, bool is_ours)
{
	int error = listener_adopt(&relay->metrics.listener, fd, is_ours,
				   LISTENER_OTHER);

	return error ? error : serve(relay, relay->metrics.listener.name);
}

void metrics_close(struct relay *relay)
{
	struct metrics *m = &relay->metrics;

	loop_watch_remove(&m->watch);
	if (m->daemon) {
		loop_timer_disarm(&m->timer);
		/* The socket is ours again. */
		(void)MHD_quiesce_daemon(m->daemon);
		MHD_stop_daemon(m->daemon);
		m->daemon = NULL;
	}
	listener_close(&m->listener);
}
