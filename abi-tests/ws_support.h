/* A bare WebSocket peer for the tests of ws and wss: the HTTP exchange and single frames, by hand. */
#ifndef TERN_ABI_TESTS_WS_SUPPORT_H
#define TERN_ABI_TESTS_WS_SUPPORT_H

#include "lifecycle_support.h"

#define WS_KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define WS_ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define WS_NULL "ZWS2.0/NULL"
#define WS_BARE "ZWS2.0"

enum { WS_ERROR = 0x30000000 };

/* Before anything is opened. */
static inline void need_ws (void)
{
    if (!zmq_has ("WS")) {
        if (on_tern ())
            LATER ("built without ws");
        printf ("[  OURS    ] not run on libzmq: built without ws\n");
        skip ();
    }
}

static inline int ws_port (const char *endpoint)
{
    return atoi (strchr (strstr (endpoint, "://") + 3, ':') + 1);
}

static inline int ws_connect_raw (const char *endpoint)
{
    char tcp[64];
    snprintf (tcp, sizeof tcp, "tcp://127.0.0.1:%d", ws_port (endpoint));
    return connect_raw (tcp);
}

/* The lines up to the empty one, with a NUL behind. */
static inline void read_http (int fd, char *text, size_t capacity)
{
    size_t have = 0;
    while (have < 4 || memcmp (text + have - 4, "\r\n\r\n", 4) != 0) {
        assert_true (have + 1 < capacity);
        if (read_raw (fd, text + have, 1, DEADLINE_MS) != 1) {
            text[have] = 0;
            fail_msg ("no whole head of HTTP came, only \"%s\"", text);
        }
        ++have;
    }
    text[have] = 0;
}

static inline void send_text_raw (int fd, const char *text)
{
    send_raw (fd, text, strlen (text));
}

static inline void ws_request (int fd, const char *protocols)
{
    char text[512];
    snprintf (text, sizeof text,
              "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Key: " WS_KEY "\r\nSec-WebSocket-Protocol: %s\r\n"
              "Sec-WebSocket-Version: 13\r\n\r\n",
              protocols);
    send_text_raw (fd, text);
}

static inline void expect_ws_response (int fd, const char *protocol)
{
    char text[1024], expected[512];
    read_http (fd, text, sizeof text);
    snprintf (expected, sizeof expected,
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Accept: " WS_ACCEPT "\r\nSec-WebSocket-Protocol: %s\r\n\r\n",
              protocol);
    assert_string_equal (text, expected);
}

/* A connection to a bound socket of the library, upgraded. */
static inline int ws_open_client (const char *endpoint, const char *protocol)
{
    const int fd = ws_connect_raw (endpoint);
    ws_request (fd, protocol);
    expect_ws_response (fd, protocol);
    return fd;
}

/* Any payload in one frame with this first byte. A client's has a mask. */
static inline void send_ws (int fd, int first, bool is_client, const void *payload, size_t size)
{
    static const unsigned char mask[4] = {0x11, 0x22, 0x33, 0x44};
    unsigned char *frame = malloc (size + 14);
    size_t at = 2;
    frame[0] = (unsigned char) first;
    if (size < 126)
        frame[1] = (unsigned char) size;
    else if (size < 65536) {
        frame[1] = 126;
        frame[2] = (unsigned char) (size >> 8);
        frame[3] = (unsigned char) size;
        at = 4;
    } else {
        frame[1] = 127;
        for (int i = 0; i < 8; ++i)
            frame[2 + i] = (unsigned char) ((uint64_t) size >> (56 - 8 * i));
        at = 10;
    }
    if (is_client) {
        frame[1] |= 0x80;
        memcpy (frame + at, mask, 4);
        at += 4;
    }
    for (size_t i = 0; i < size; ++i)
        frame[at + i] = ((const unsigned char *) payload)[i] ^ (is_client ? mask[i % 4] : 0);
    const bool sent = write_raw (fd, frame, at + size);
    free (frame);
    if (!sent)
        fail_msg ("the library closed the connection early");
}

/* A message's frame, or with flags 2 a command's. */
static inline void send_zws (int fd, bool is_client, int flags, const void *body, size_t size)
{
    unsigned char *payload = malloc (size + 1);
    payload[0] = (unsigned char) flags;
    memcpy (payload + 1, body, size);
    send_ws (fd, 0x82, is_client, payload, size + 1);
    free (payload);
}

static inline void send_zws_text (int fd, bool is_client, int flags, const char *text)
{
    send_zws (fd, is_client, flags, text, strlen (text));
}

struct ws_frame
{
    int first;
    bool is_masked;
    size_t size;
    unsigned char payload[70000];
};

static inline void expect_ws (int fd, struct ws_frame *f)
{
    unsigned char head[14];
    expect_bytes (fd, head, 2);
    f->first = head[0];
    f->is_masked = head[1] & 0x80;
    f->size = head[1] & 0x7f;
    if (f->size >= 126) {
        const size_t n = f->size == 126 ? 2 : 8;
        expect_bytes (fd, head, n);
        f->size = 0;
        for (size_t i = 0; i < n; ++i)
            f->size = f->size << 8 | head[i];
    }
    assert_true (f->size <= sizeof f->payload);
    if (f->is_masked)
        expect_bytes (fd, head, 4);
    if (f->size)
        expect_bytes (fd, f->payload, f->size);
    for (size_t i = 0; f->is_masked && i < f->size; ++i)
        f->payload[i] ^= head[i % 4];
}

static inline void expect_zws_text (int fd, bool is_masked, int flags, const char *text)
{
    struct ws_frame f;
    expect_ws (fd, &f);
    assert_int_equal (f.first, 0x82);
    assert_int_equal (f.is_masked, is_masked);
    assert_int_equal (f.size, strlen (text) + 1);
    assert_int_equal (f.payload[0], flags);
    assert_memory_equal (f.payload + 1, text, strlen (text));
}

static inline void send_ws_ready (int fd, bool is_client, const char *type)
{
    unsigned char body[128];
    const size_t size = make_ready (body, type, "");
    send_zws (fd, is_client, 2, body, size);
}

static inline void expect_ws_ready (int fd, bool is_masked)
{
    struct ws_frame f;
    expect_ws (fd, &f);
    assert_int_equal (f.is_masked, is_masked);
    assert_int_equal (f.payload[0], 2);
    assert_memory_equal (f.payload + 1, "\5READY", 6);
}

/* Through NULL as well. */
static inline int ws_client_until_ready (const char *endpoint, const char *type)
{
    const int fd = ws_open_client (endpoint, WS_NULL);
    expect_ws_ready (fd, false);
    send_ws_ready (fd, true, type);
    return fd;
}

#endif
