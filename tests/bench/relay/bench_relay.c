/* SPDX-License-Identifier: Apache-2.0 */
/* bench_relay.c - one sample of a relay under load; prints a line of JSON */

#include <arpa/inet.h>
#include <inttypes.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/option.h"
#include "bench/relay/crowd.h"
#include "bench/relay/process.h"
#include "bench/relay/protocol.h"

/*
 * How it works: connect everybody, send for a while unmeasured, measure, stop
 * sending, and wait until all that was sent has arrived everywhere: a sample
 * with one message too few or too many is no sample, and the exit status says
 * so. What the server took is read before and after the measured time.
 */
#define NS_PER_MS UINT64_C(1000000)
#define SETTLE_NS (20 * NS_PER_MS)

struct options {
	const char *protocol;
	uint64_t port, pid, rooms, members, senders, bytes, window, ms, warm_ms;
	uint64_t rate, stalled, idle, tls, awake, patience_ms;
};

#define NUMBER(name, field, min, max, standard, help)                       \
	{                                                                   \
		name, "N", help, OPTION_NUMBER,                             \
			offsetof(struct options, field), min, max, standard \
	}

static const struct option_row rows[] = {
	{ "protocol", "NAME", "what the server speaks", OPTION_TEXT,
	  offsetof(struct options, protocol), .standard = "paravox" },
	NUMBER("port", port, 1, 65535, "7450", "of the server, on loopback"),
	NUMBER("pid", pid, 0, 1u << 30, "0", "the server's process"),
	{ "help", NULL, "print this", OPTION_ENDS,
	  .outcome = OPTION_OUTCOME_HELP },
	/* What the sample says of itself. */
	NUMBER("rooms", rooms, 1, 1000, "1", "rooms"),
	NUMBER("members", members, 2, 10000, "101", "of each room"),
	NUMBER("senders", senders, 0, 10000, "1", "of each room"),
	NUMBER("bytes", bytes, 16, 65536, "200", "of a message"),
	NUMBER("window", window, 1, 65536, "256",
	       "messages of a sender that are not yet with everybody"),
	NUMBER("ms", ms, 1, 3600000, "1000", "that are measured"),
	NUMBER("warm-ms", warm_ms, 0, 60000, "200", "before that"),
	NUMBER("rate", rate, 0, 10000000, "0",
	       "messages a second of all; 0: as many as the window lets"),
	NUMBER("stalled", stalled, 0, 1000, "0",
	       "members of the first room who never read"),
	NUMBER("idle", idle, 0, 100000, "0", "more, in rooms without a word"),
	NUMBER("tls", tls, 0, 1, "0", "1: under TLS 1.3"),
	NUMBER("awake", awake, 0, 1, "0",
	       "1: look for events without sleeping"),
	NUMBER("patience-ms", patience_ms, 1, 600000, "60000",
	       "in the end, for what is on its way"),
};
#define FIRST_SAID 4

static const struct option_table table = {
	.program = "bench_relay",
	.usage = "[--OPTION=VALUE]...",
	.about = "One sample of a relay under load, as a line of JSON.",
	.row = rows,
	.rows = ARRAY_SIZE(rows),
};

struct sample {
	uint64_t wall_ns;
	struct process_usage before, after; /* the server's */
	struct process_usage own_before, own_after;
	struct process_usage empty, full; /* before and after the idle came */
	uint64_t kernel_empty_kib, kernel_full_kib;
};

/* What options must be to each other. */
static int plan_make(struct crowd_plan *plan, const struct options *o)
{
	*plan = (struct crowd_plan){
		.protocol = protocol_find(o->protocol),
		.server = { .sin_family = AF_INET,
			    .sin_port = htons((uint16_t)o->port),
			    .sin_addr = { htonl(INADDR_LOOPBACK) } },
		.rooms = (uint32_t)o->rooms,
		.members = (uint32_t)o->members,
		.senders = (uint32_t)o->senders,
		.body_bytes = (uint32_t)o->bytes,
		.window = (uint32_t)o->window,
		.rate = o->rate,
		.stalled = (uint32_t)o->stalled,
		.idle = (uint32_t)o->idle,
		.is_secure = o->tls,
		.is_awake = o->awake,
	};
	if (!plan->protocol || o->senders + o->stalled > o->members ||
	    o->bytes < plan->protocol->least_bytes ||
	    o->bytes > plan->protocol->most_bytes) {
		fprintf(stderr, "bench_relay: no such load\n");
		return -EINVAL;
	}
	return 0;
}

/* Everybody in: first the idle ones, whose memory is looked at. */
static int enter(struct crowd *crowd, struct sample *s, pid_t pid)
{
	uint32_t busy = crowd->client_count - crowd->plan.idle;
	int error;

	s->kernel_empty_kib = process_kernel_kib();
	error = process_usage_get(&s->empty, pid);
	if (!error)
		error = crowd_enter(crowd, busy, crowd->plan.idle);
	if (!error)
		error = crowd_run(crowd, SETTLE_NS);
	s->kernel_full_kib = process_kernel_kib();
	if (!error)
		error = process_usage_get(&s->full, pid);
	if (!error)
		error = crowd_enter(crowd, 0, busy);
	return error ? error : crowd_run(crowd, SETTLE_NS);
}

static int measure(struct crowd *crowd, struct sample *s, pid_t pid,
		   uint64_t ns)
{
	uint64_t begun_ns, begun;
	int error;

	error = process_usage_get(&s->before, pid);
	if (!error)
		error = process_usage_get(&s->own_before, 0);
	crowd->is_measured = true;
	begun = crowd->deliveries;
	begun_ns = clock_now_ns();
	if (!error)
		error = crowd_run(crowd, ns);
	s->wall_ns = clock_now_ns() - begun_ns;
	crowd->measured = crowd->deliveries - begun;
	crowd->is_measured = false;
	if (!error)
		error = process_usage_get(&s->own_after, 0);
	return error ? error : process_usage_get(&s->after, pid);
}

static int sample_make(struct crowd *crowd, struct sample *s,
		       const struct options *o)
{
	int error = enter(crowd, s, (pid_t)o->pid);

	if (error)
		return error;
	crowd_start(crowd);
	error = crowd_run(crowd, o->warm_ms * NS_PER_MS);
	if (!error)
		error = measure(crowd, s, (pid_t)o->pid, o->ms * NS_PER_MS);
	if (!error)
		error = crowd_finish(crowd, o->patience_ms * NS_PER_MS);
	/* What comes once more comes now. */
	return error ? error : crowd_run(crowd, SETTLE_NS);
}

static uint64_t number_of(const struct options *o, size_t row)
{
	uint64_t number;

	memcpy(&number, (const char *)o + rows[row].offset, sizeof(number));
	return number;
}

static double share(uint64_t before, uint64_t after, uint64_t whole)
{
	return whole ? ((double)after - (double)before) / (double)whole : 0;
}

static void sample_print(const struct crowd *crowd, const struct sample *s,
			 const struct options *o)
{
	const struct histogram *h = &crowd->latency;
	uint64_t idle = o->idle ? o->idle : 1;
	double count = (double)crowd->measured;

	printf("{\"protocol\":\"%s\"", crowd->plan.protocol->name);
	for (size_t i = FIRST_SAID; i < ARRAY_SIZE(rows); i++)
		printf(",\"%s\":%" PRIu64, rows[i].name, number_of(o, i));
	printf(",\"deliveries\":%" PRIu64 ",\"checked\":%" PRIu64
	       ",\"rate_out\":%.0f",
	       crowd->measured, crowd->deliveries,
	       count * 1e9 / (double)s->wall_ns);
	for (unsigned int i = 0; i < 3; i++) {
		static const char *const names[] = { "p50", "p99", "p999" };
		static const double shares[] = { 0.5, 0.99, 0.999 };

		printf(",\"%s_us\":%.1f", names[i],
		       (double)histogram_quantile_ns(h, shares[i]) / 1e3);
	}
	printf(",\"most_us\":%.1f", (double)h->most_ns / 1e3);
	printf(",\"cpu_ns\":%.1f",
	       count ? (double)(s->after.cpu_ns - s->before.cpu_ns) / count
		     : 0.0);
	printf(",\"busy\":%.3f,\"waiting\":%.3f",
	       share(s->before.cpu_ns, s->after.cpu_ns, s->wall_ns),
	       share(s->before.waiting_ns, s->after.waiting_ns, s->wall_ns));
	/* To look for events in vain is no work. */
	printf(",\"own_busy\":%.3f,\"own_waiting\":%.3f",
	       share(s->own_before.cpu_ns + crowd->idle_ns, s->own_after.cpu_ns,
		     s->wall_ns),
	       share(s->own_before.waiting_ns, s->own_after.waiting_ns,
		     s->wall_ns));
	printf(",\"own_sleeps\":%.4f",
	       share(s->own_before.sleeps, s->own_after.sleeps,
		     crowd->measured));
	printf(",\"user_kib\":%" PRIu64 ",\"most_kib\":%" PRIu64,
	       s->after.user_kib, s->after.most_kib);
	printf(",\"idle_user_bytes\":%" PRId64 ",\"idle_kernel_bytes\":%" PRId64
	       "}\n",
	       (int64_t)(s->full.user_kib - s->empty.user_kib) * 1024 /
		       (int64_t)idle,
	       (int64_t)(s->kernel_full_kib - s->kernel_empty_kib) * 1024 /
		       (int64_t)idle);
}

int main(int argc, char **argv)
{
	static struct crowd crowd;
	struct options options = { 0 };
	struct sample sample = { 0 };
	struct crowd_plan plan;
	int outcome;

	(void)signal(SIGPIPE, SIG_IGN); /* libssl writes, too */
	option_defaults(&table, &options);
	outcome = option_parse(&table, &options, argc, argv);
	if (outcome == OPTION_OUTCOME_HELP) {
		option_print_help(&table, stdout);
		return 0;
	}
	if (outcome || plan_make(&plan, &options))
		return 2;
	outcome = crowd_create(&crowd, &plan);
	if (!outcome)
		outcome = sample_make(&crowd, &sample, &options);
	if (outcome)
		fprintf(stderr, "bench_relay: %s: %s\n", plan.protocol->name,
			crowd.fault[0] ? crowd.fault : strerror(-outcome));
	else
		sample_print(&crowd, &sample, &options);
	crowd_destroy(&crowd);
	return outcome ? 1 : 0;
}
