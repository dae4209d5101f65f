/* SPDX-License-Identifier: Apache-2.0 */
/* notify.h - tell the service manager how far we are (sd_notify(3)) */
#ifndef PVX_BASE_NOTIFY_H
#define PVX_BASE_NOTIFY_H

/*
 * Send `state` ("READY=1", "STOPPING=1") to the socket that $NOTIFY_SOCKET
 * names. 0 also when there is none; -errno when it cannot be told.
 */
int notify_send(const char *state);

#endif
