/* SPDX-License-Identifier: Apache-2.0 */
/* test_address.c - how many connections come from one place */

#include "relay/address.h"
#include "relay/relay.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define MOST 3

static struct relay *relay;

static int setup(void **state)
{
	relay = calloc(1, sizeof(*relay));
	if (!relay)
		return -1;
	relay->limits.max_address_clients = MOST;
	addresses_init(&relay->addresses);
	return loop_create(&relay->loop);
}

static int teardown(void **state)
{
	assert_int_equal(HASH_COUNT(relay->addresses.all), 0);
	loop_destroy(relay->loop);
	free(relay);
	return 0;
}

/* Without a family: of a Unix socket. */
static struct sockaddr_storage peer_of(const char *text)
{
	struct sockaddr_storage peer = { .ss_family = AF_UNIX };
	struct sockaddr_in *ip4 = (struct sockaddr_in *)&peer;
	struct sockaddr_in6 *ip6 = (struct sockaddr_in6 *)&peer;

	if (inet_pton(AF_INET, text, &ip4->sin_addr) == 1)
		peer.ss_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &ip6->sin6_addr) == 1)
		peer.ss_family = AF_INET6;
	return peer;
}

static struct address *get(const char *text)
{
	struct sockaddr_storage peer = peer_of(text);
	struct address *address;

	assert_int_equal(address_get(relay, &peer, &address), 0);
	return address;
}

static void assert_refused(const char *text)
{
	struct sockaddr_storage peer = peer_of(text);
	struct address *address = (struct address *)relay;

	assert_int_equal(address_get(relay, &peer, &address), -EUSERS);
	assert_null(address);
}

static void put(struct address *address, unsigned int times)
{
	while (times--)
		address_put(relay, address);
}

static void test_an_address_has_so_many_and_no_more(void **state)
{
	struct address *one = get("192.0.2.1");

	assert_non_null(one);
	assert_ptr_equal(get("192.0.2.1"), one);
	assert_ptr_equal(get("192.0.2.1"), one);
	assert_refused("192.0.2.1");
	put(get("192.0.2.2"), 1);
	put(one, 1);
	assert_ptr_equal(get("192.0.2.1"), one);
	assert_refused("192.0.2.1");
	put(one, MOST);
	put(get("192.0.2.1"), 1);
}

static void test_ipv6_counts_by_64_bits(void **state)
{
	struct address *net = get("2001:db8::1");

	assert_ptr_equal(get("2001:db8::2"), net);
	assert_ptr_equal(get("2001:db8:0:0:ffff:ffff:ffff:ffff"), net);
	assert_refused("2001:db8::3");
	put(get("2001:db8:0:1::1"), 1);
	put(net, MOST);
}

static void test_ipv4_inside_of_ipv6_is_the_same_address(void **state)
{
	struct address *one = get("192.0.2.1");

	assert_ptr_equal(get("::ffff:192.0.2.1"), one);
	assert_ptr_not_equal(get("::ffff:192.0.2.2"), one);
	put(get("192.0.2.2"), 2);
	put(one, 2);
}

static void test_families_do_not_mix(void **state)
{
	/* 32.1.13.184 has the first bytes of 2001:db8. */
	struct address *ip6 = get("2001:db8::"), *ip4 = get("32.1.13.184");

	assert_ptr_not_equal(ip6, ip4);
	put(ip6, 1);
	put(ip4, 1);
}

static void test_this_machine_has_no_limit(void **state)
{
	for (int i = 0; i < 2 * MOST; i++) {
		assert_null(get("127.0.0.1"));
		assert_null(get("127.1.2.3"));
		assert_null(get("::1"));
		assert_null(get("::ffff:127.0.0.1"));
		assert_null(get("a Unix socket"));
	}
}

static void test_zero_is_no_limit(void **state)
{
	struct address *one = NULL;

	relay->limits.max_address_clients = 0;
	for (int i = 0; i < 2 * MOST; i++)
		one = get("192.0.2.1");
	relay->limits.max_address_clients = MOST;
	assert_refused("192.0.2.1");
	put(one, 2 * MOST);
}

/* Without a rate nobody is remembered, which teardown() sees to. */
static void test_who_has_begun_rooms_is_remembered(void **state)
{
	struct address *one;

	relay->limits.rate_rooms = 1;
	relay->limits.burst_rooms = 2;
	one = get("192.0.2.1");
	assert_true(address_begin_room(relay, one));
	assert_true(address_begin_room(relay, one));
	assert_false(address_begin_room(relay, one));
	assert_true(address_begin_room(relay, NULL));
	put(one, 1);
	put(get("192.0.2.2"), 1); /* has begun none */
	assert_int_equal(HASH_COUNT(relay->addresses.all), 1);
	assert_int_equal(relay->addresses.idle_count, 1);
	assert_ptr_equal(get("192.0.2.1"), one);
	assert_int_equal(relay->addresses.idle_count, 0);
	assert_false(address_begin_room(relay, one));
	put(one, 1);
	for (uint32_t i = 0; i <= RELAY_IDLE_ADDRESSES_MAX; i++) {
		struct in_addr ip = { .s_addr = htonl(0x0a000000 + i) };
		char text[INET_ADDRSTRLEN];

		inet_ntop(AF_INET, &ip, text, sizeof(text));
		one = get(text);
		assert_true(address_begin_room(relay, one));
		put(one, 1);
	}
	assert_int_equal(HASH_COUNT(relay->addresses.all),
			 RELAY_IDLE_ADDRESSES_MAX);
	addresses_deinit(&relay->addresses);
	assert_int_equal(relay->addresses.idle_count, 0);
	relay->limits.rate_rooms = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address_has_so_many_and_no_more),
		cmocka_unit_test(test_ipv6_counts_by_64_bits),
		cmocka_unit_test(test_ipv4_inside_of_ipv6_is_the_same_address),
		cmocka_unit_test(test_families_do_not_mix),
		cmocka_unit_test(test_this_machine_has_no_limit),
		cmocka_unit_test(test_zero_is_no_limit),
		cmocka_unit_test(test_who_has_begun_rooms_is_remembered),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
