/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h - what the rows of the table in main.c run */
#ifndef PVX_CLIENT_COMMANDS_H
#define PVX_CLIENT_COMMANDS_H

#include "client/command.h"

/* Each returns the exit status, after a message when it is not 0. */
int cmd_room_new(const struct arguments *arguments);
int cmd_room_passphrase(const struct arguments *arguments);
int cmd_room_link(const struct arguments *arguments);
int cmd_room_join(const struct arguments *arguments);
int cmd_id(const struct arguments *arguments);
int cmd_id_verify(const struct arguments *arguments);
int cmd_chat(const struct arguments *arguments);
int cmd_send(const struct arguments *arguments);
int cmd_tail(const struct arguments *arguments);
int cmd_crypto_list(const struct arguments *arguments);
int cmd_crypto_test(const struct arguments *arguments);
int cmd_crypto_speed(const struct arguments *arguments);

#endif
