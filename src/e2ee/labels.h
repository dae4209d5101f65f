/* SPDX-License-Identifier: Apache-2.0 */
/* labels.h - every label of a hash, key or signature, each in one place */
#ifndef PVX_E2EE_LABELS_H
#define PVX_E2EE_LABELS_H

/*
 * The NUL at a label's end is hashed with it, so that none is the beginning
 * of another (spec/e2ee.md, clause 2). The two labels of admission are in
 * abi/chat_wire.h, because the relay computes with them too.
 */

/* Keys (HKDF) */
#define LABEL_ROOM_EXTRACT     "paravox v1 room secret"
#define LABEL_ADMISSION_SEED   "paravox v1 admission key"
#define LABEL_EPOCH_SECRET     "paravox v1 epoch secret"
#define LABEL_IDENTITY_EXTRACT "paravox v1 identity"
#define LABEL_IDENTITY_SEED    "paravox v1 identity key"
#define LABEL_DEVICE_ROOT      "paravox v1 device root"
#define LABEL_DEVICE_SEED      "paravox v1 device key"
#define LABEL_CHAIN_ROOT       "paravox v1 chain root"
#define LABEL_MESSAGE_ENC      "paravox v1 message encryption key"
#define LABEL_MESSAGE_MAC      "paravox v1 message authentication key"
#define LABEL_MESSAGE_IV       "paravox v1 message iv"

/* Signatures */
#define LABEL_MESSAGE_SIGNATURE "paravox v1 message signature"
#define LABEL_DEVICE_PROOF      "paravox v1 device proof"

/* Hashes */
#define LABEL_ENVELOPE_AAD  "paravox v1 envelope"
#define LABEL_MESSAGE_WORDS "paravox v1 message words"
#define LABEL_MESSAGE_LINK  "paravox v1 message link"
#define LABEL_FINGERPRINT   "paravox v1 fingerprint"
#define LABEL_SAFETY_NUMBER "paravox v1 safety number"
#define LABEL_LINK_CHECKSUM "paravox v1 link checksum"

#endif
