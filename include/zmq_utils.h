/* SPDX-License-Identifier: Apache-2.0 */

/* Its former contents are in zmq.h; the file stays for programs that name it. */

#ifndef __ZMQ_UTILS_H_INCLUDED__
#define __ZMQ_UTILS_H_INCLUDED__

#include <zmq.h>

#endif
