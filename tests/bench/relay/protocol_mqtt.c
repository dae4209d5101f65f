/* SPDX-License-Identifier: Apache-2.0 */
/* protocol_mqtt.c - publish and subscribe as MQTT 3.1.1 speaks it, QoS 0 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "bench/relay/protocol.h"

/* Who publishes to what he subscribes to hears himself: the crowd leaves that
 * out of its count. */
enum packet {
	PACKET_CONNECT = 0x10,
	PACKET_CONNACK = 0x20,
	PACKET_PUBLISH = 0x30,
	PACKET_SUBSCRIBE = 0x82,
	PACKET_SUBACK = 0x90
};

#define TYPE_MASK  0xf0u
#define HEAD_ROOM  5u /* type, length in up to four bytes */
#define TOPIC_ROOM 16u

/* Section 2.2.3: seven bits a byte, the least first. */
static size_t length_put(uint8_t *to, size_t length)
{
	size_t bytes = 0;

	do {
		to[bytes] = (uint8_t)(length & 0x7f);
		length >>= 7;
		to[bytes++] |= length ? 0x80 : 0;
	} while (length);
	return bytes;
}

static size_t text_put(uint8_t *to, const char *text)
{
	size_t bytes = strlen(text);

	bytes_put_be16(to, (uint16_t)bytes);
	memcpy(to + 2, text, bytes);
	return 2 + bytes;
}

static int packet_put(struct client *c, enum packet type, const void *head,
		      size_t head_bytes, const void *body, size_t body_bytes)
{
	uint8_t *to = client_reserve(c, HEAD_ROOM + head_bytes + body_bytes);
	size_t at = 1;

	if (!to)
		return -ENOMEM;
	to[0] = (uint8_t)type;
	at += length_put(to + at, head_bytes + body_bytes);
	memcpy(to + at, head, head_bytes);
	at += head_bytes;
	if (body_bytes)
		memcpy(to + at, body, body_bytes);
	client_put_done(c, at + body_bytes);
	return 0;
}

static size_t topic_put(uint8_t *to, const struct client *c)
{
	char topic[TOPIC_ROOM];

	snprintf(topic, sizeof(topic), "r%u", c->room);
	return text_put(to, topic);
}

static int mqtt_greet(struct client *c)
{
	/* Level 4, a clean session, no keep-alive. */
	static const uint8_t about[4] = { 4, 2, 0, 0 };
	uint8_t connect[64], subscribe[64] = { 0, 1 };
	size_t bytes = text_put(connect, "MQTT");
	char name[TOPIC_ROOM];
	int error;

	memcpy(connect + bytes, about, sizeof(about));
	bytes += sizeof(about);
	snprintf(name, sizeof(name), "c%u", c->number);
	bytes += text_put(connect + bytes, name);
	error = packet_put(c, PACKET_CONNECT, connect, bytes, NULL, 0);
	bytes = 2 + topic_put(subscribe + 2, c);
	subscribe[bytes++] = 0; /* QoS */
	if (error)
		return error;
	return packet_put(c, PACKET_SUBSCRIBE, subscribe, bytes, NULL, 0);
}

static int mqtt_serve(struct client *c, unsigned int type, const uint8_t *body,
		      size_t bytes)
{
	size_t topic;

	switch (type & TYPE_MASK) {
	case PACKET_PUBLISH:
		topic = bytes < 2 ? bytes : 2u + bytes_get_be16(body);
		if (topic >= bytes)
			return -EBADMSG;
		crowd_deliver(c->crowd, c, body + topic, bytes - topic);
		return 0;
	case PACKET_CONNACK:
		return bytes == 2 && !body[1] ? 0 : -EACCES;
	case PACKET_SUBACK:
		client_is_in(c);
		return 0;
	default:
		return crowd_fail(c->crowd, c, "a packet of another type");
	}
}

static long mqtt_take(struct client *c, const uint8_t *data, size_t bytes)
{
	size_t at = 1, length = 0;
	int error;

	do {
		if (at >= bytes)
			return 0;
		if (at >= HEAD_ROOM)
			return -EBADMSG;
		length |= (size_t)(data[at] & 0x7f) << 7 * (at - 1);
	} while (data[at++] & 0x80);
	if (length > CLIENT_READ_BYTES / 2)
		return -EBADMSG;
	if (bytes < at + length)
		return 0;
	error = mqtt_serve(c, data[0], data + at, length);
	return error ? error : (long)(at + length);
}

static int mqtt_say(struct client *c, const uint8_t *body, size_t bytes)
{
	uint8_t topic[TOPIC_ROOM + 2];

	return packet_put(c, PACKET_PUBLISH, topic, topic_put(topic, c), body,
			  bytes);
}

const struct protocol protocol_mqtt = {
	.name = "mqtt",
	.least_bytes = 16,
	.most_bytes = 1u << 16,
	.greet = mqtt_greet,
	.take = mqtt_take,
	.say = mqtt_say,
};
