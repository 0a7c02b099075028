/* Kit of the tests of the draft socket types: draft_api.h and patterns_support.h, and messages with
 * routing ids and groups. */
#ifndef TERN_ABI_TESTS_DRAFT_SUPPORT_H
#define TERN_ABI_TESTS_DRAFT_SUPPORT_H

#include "draft_api.h"
#include "patterns_support.h"

/* A message with a routing id (0: none) or group (NULL: none). */
static inline int send_to_peer(void *s, const char *text, uint32_t routing_id, const char *group,
                               int flags) {
    zmq_msg_t m;
    OK(zmq_msg_init_size(&m, strlen(text)));
    memcpy(zmq_msg_data(&m), text, strlen(text));
    if (routing_id) OK(DRAFT(zmq_msg_set_routing_id)(&m, routing_id));
    if (group) OK(DRAFT(zmq_msg_set_group)(&m, group));
    const int rc = zmq_msg_send(&m, s, flags);
    if (rc == -1) {
        const int number = zmq_errno();
        /* GEN-2: the caller's message is what it was. */
        assert_int_equal(zmq_msg_size(&m), strlen(text));
        assert_int_equal(DRAFT(zmq_msg_routing_id)(&m), routing_id);
        assert_string_equal(DRAFT(zmq_msg_group)(&m), group ? group : "");
        zmq_msg_close(&m);
        errno = number;
    }
    return rc;
}

/* Receives a single frame with this text; returns its routing id, and its group in `group`. */
static inline uint32_t expect_from_peer(void *s, const char *text, char *group) {
    zmq_msg_t m;
    OK(zmq_msg_init(&m));
    const int n = zmq_msg_recv(&m, s, 0);
    if (n == -1) fail_msg("recv (expected \"%s\"): %s", text, zmq_strerror(zmq_errno()));
    if ((size_t)n != strlen(text) || memcmp(zmq_msg_data(&m), text, (size_t)n) != 0)
        fail_msg("received \"%.*s\", expected \"%s\"", n, (char *)zmq_msg_data(&m), text);
    assert_false(zmq_msg_more(&m));
    const uint32_t routing_id = DRAFT(zmq_msg_routing_id)(&m);
    if (group) strcpy(group, DRAFT(zmq_msg_group)(&m));
    OK(zmq_msg_close(&m));
    return routing_id;
}

#endif
