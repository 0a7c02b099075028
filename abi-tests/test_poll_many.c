/* zmq_poll over many sockets, again and again with the same items: flow.md section 4 (POL-*). */
#include "flow_support.h"

#include <signal.h>

enum { many = 40 };

struct crowd {
    void *ctx, *push[many], *pull[many];
    zmq_pollitem_t items[many];
};

static const char *const transports[] = {"inproc", "tcp", "ipc"};

static void open_crowd(struct crowd *c, const char *transport) {
    c->ctx = new_context();
    for (int i = 0; i < many; i++) {
        c->push[i] = new_socket(c->ctx, ZMQ_PUSH);
        c->pull[i] = new_socket(c->ctx, ZMQ_PULL);
        join_sockets(c->pull[i], c->push[i], transport);
        c->items[i] = (zmq_pollitem_t){c->pull[i], 0, ZMQ_POLLIN, 0x55};
    }
}

static void close_crowd(struct crowd *c) {
    for (int i = 0; i < many; i++) {
        if (c->push[i]) close_now(c->push[i]);
        if (c->pull[i]) close_now(c->pull[i]);
    }
    end_context(c->ctx);
}

/* Only item `index` is ready; -1: none is. */
static void expect_only(struct crowd *c, int index, long timeout) {
    assert_int_equal(zmq_poll(c->items, many, timeout), index >= 0);
    for (int i = 0; i < many; i++)
        assert_int_equal(c->items[i].revents, i == index ? ZMQ_POLLIN : 0);
}

static void POL_1_level_triggered_in_a_crowd(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        struct crowd c;
        open_crowd(&c, transports[t]);
        expect_only(&c, -1, 0);
        for (int i = 0; i < many; i++) {
            send_text(c.push[i], "one", 0);
            send_text(c.push[i], "two", 0);
            for (int again = 0; again < 3; again++) expect_only(&c, i, -1);
            expect_text(c.pull[i], "one");
            for (int again = 0; again < 3; again++) expect_only(&c, i, -1);
            expect_text(c.pull[i], "two");
            expect_only(&c, -1, 0);
        }
        close_crowd(&c);
    }
}

static void POL_1_other_calls_between_polls_hide_nothing(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        struct crowd c;
        open_crowd(&c, transports[t]);
        expect_only(&c, -1, 0);
        send_text(c.push[7], "one", 0);
        send_text(c.push[7], "two", 0);
        /* This call takes the first, and with it, perhaps, the report of both. */
        expect_text(c.pull[7], "one");
        expect_only(&c, 7, -1);
        expect_text(c.pull[7], "two");
        expect_only(&c, -1, 0);
        /* A poll of its own, ZMQ_EVENTS, a receive in vain. */
        send_text(c.push[8], "three", 0);
        wait_events(c.pull[8], ZMQ_POLLIN);
        expect_only(&c, 8, -1);
        zmq_pollitem_t one = {c.pull[9], 0, ZMQ_POLLIN, 0};
        assert_int_equal(zmq_poll(&one, 1, 0), 0);
        char byte;
        FAILS(zmq_recv(c.pull[9], &byte, 1, ZMQ_DONTWAIT), EAGAIN);
        send_text(c.push[9], "four", 0);
        assert_int_equal(zmq_poll(&one, 1, -1), 1);
        expect_text(c.pull[8], "three");
        expect_only(&c, 9, -1);
        expect_text(c.pull[9], "four");
        expect_only(&c, -1, 0);
        close_crowd(&c);
    }
}

static void POL_2_several_are_ready_and_revents_are_cleared(void **state) {
    (void)state;
    struct crowd c;
    open_crowd(&c, "inproc");
    for (int ready = 0; ready <= many; ready++) {
        for (int i = 0; i < many; i++) c.items[i].revents = (short)(ready % 2 ? 0x55 : 0);
        assert_int_equal(zmq_poll(c.items, many, 0), ready);
        for (int i = 0; i < many; i++)
            assert_int_equal(c.items[i].revents, i < ready ? ZMQ_POLLIN : 0);
        if (ready < many) send_text(c.push[ready], "x", 0);
    }
    close_crowd(&c);
}

static void POL_2_output_too(void **state) {
    (void)state;
    struct crowd c;
    open_crowd(&c, "inproc");
    for (int i = 0; i < many; i += 2) c.items[i] = (zmq_pollitem_t){c.push[i], 0, ZMQ_POLLOUT, 0};
    for (int again = 0; again < 3; again++) {
        assert_int_equal(zmq_poll(c.items, many, -1), many / 2);
        for (int i = 0; i < many; i++)
            assert_int_equal(c.items[i].revents, i % 2 ? 0 : ZMQ_POLLOUT);
    }
    close_crowd(&c);
}

struct sender {
    void *socket;
    int ms;
};

static void *send_later(void *arg) {
    const struct sender *const s = arg;
    pause_ms(s->ms);
    send_text(s->socket, "late", 0);
    return NULL;
}

static void POL_3_a_sleeping_poll_is_woken_by_any_member(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        struct crowd c;
        open_crowd(&c, transports[t]);
        for (int i = 0; i < many; i += 3) {
            /* Sometimes before the poll sleeps, sometimes after. */
            struct sender s = {c.push[i], i % 2 ? 0 : 5};
            const pthread_t thread = start_thread(send_later, &s);
            expect_only(&c, i, -1);
            join_thread(thread);
            expect_text(c.pull[i], "late");
        }
        close_crowd(&c);
    }
}

static void POL_3_a_timeout_is_kept(void **state) {
    (void)state;
    struct crowd c;
    open_crowd(&c, "tcp");
    for (int again = 0; again < 3; again++) {
        const int64_t start = now_ms();
        expect_only(&c, -1, 60);
        expect_not_before(start, 55);
    }
    close_crowd(&c);
}

static void POL_items_may_change_between_calls(void **state) {
    (void)state;
    struct crowd c;
    open_crowd(&c, "inproc");
    expect_only(&c, -1, 0);
    send_text(c.push[5], "x", 0);
    /* Not asked for any more, then asked for again. */
    c.items[5].events = 0;
    assert_int_equal(zmq_poll(c.items, many, 0), 0);
    c.items[5].events = ZMQ_POLLIN;
    expect_only(&c, 5, 0);
    /* Fewer, and in another order. */
    assert_int_equal(zmq_poll(c.items + 6, many - 6, 0), 0);
    const zmq_pollitem_t first = c.items[0];
    c.items[0] = c.items[5];
    c.items[5] = first;
    expect_only(&c, 0, 0);
    /* The same socket twice, and a descriptor. */
    c.items[1] = c.items[0];
    assert_int_equal(zmq_poll(c.items, many, 0), 2);
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    c.items[1] = (zmq_pollitem_t){NULL, ends[0], ZMQ_POLLIN, 0};
    assert_int_equal(zmq_poll(c.items, many, 0), 1);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(zmq_poll(c.items, many, 0), 2);
    close(ends[0]);
    close(ends[1]);
    close_crowd(&c);
}

static void POL_a_socket_whose_descriptor_is_out(void **state) {
    (void)state;
    struct crowd c;
    open_crowd(&c, "tcp");
    expect_only(&c, -1, 0);
    const int fd = get_int(c.pull[3], ZMQ_FD);
    assert_true(fd >= 0);
    (void)events_of(c.pull[3]);
    send_text(c.push[3], "x", 0);
    expect_only(&c, 3, -1);
    expect_text(c.pull[3], "x");
    expect_only(&c, -1, 0);
    send_text(c.push[4], "y", 0);
    expect_only(&c, 4, -1);
    close_crowd(&c);
}

static void POL_a_closed_member_is_ENOTSOCK(void **state) {
    (void)state;
    struct crowd c;
    open_crowd(&c, "inproc");
    expect_only(&c, -1, 0);
    close_now(c.pull[11]);
    c.pull[11] = NULL;
    for (int again = 0; again < 2; again++) FAILS(zmq_poll(c.items, many, 0), ENOTSOCK);
    c.items[11] = c.items[12];
    c.items[12] = (zmq_pollitem_t){c.push[12], 0, ZMQ_POLLOUT, 0};
    assert_int_equal(zmq_poll(c.items, many, 0), 1);
    send_text(c.push[12], "x", 0);
    assert_int_equal(zmq_poll(c.items, many, -1), 2);
    close_crowd(&c);
}

static void *shut_down_later(void *ctx) {
    pause_ms(20);
    OK(zmq_ctx_shutdown(ctx));
    return NULL;
}

static void POL_shutdown_ends_it_with_ETERM(void **state) {
    (void)state;
    struct crowd c;
    open_crowd(&c, "tcp");
    expect_only(&c, -1, 0);
    const pthread_t thread = start_thread(shut_down_later, c.ctx);
    FAILS(zmq_poll(c.items, many, -1), ETERM);
    FAILS(zmq_poll(c.items, many, 0), ETERM);
    join_thread(thread);
    close_crowd(&c);
}

static void on_signal(int number) { (void)number; }

static void *interrupt_later(void *arg) {
    pause_ms(20);
    pthread_kill(*(pthread_t *)arg, SIGUSR1);
    return NULL;
}

static void POL_a_signal_ends_it_with_EINTR(void **state) {
    (void)state;
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    struct crowd c;
    open_crowd(&c, "tcp");
    expect_only(&c, -1, 0);
    pthread_t self = pthread_self();
    const pthread_t thread = start_thread(interrupt_later, &self);
    FAILS(zmq_poll(c.items, many, -1), EINTR);
    join_thread(thread);
    send_text(c.push[0], "x", 0);
    expect_only(&c, 0, -1);
    close_crowd(&c);
}

static void *poll_once(void *arg) {
    expect_only(arg, -1, 0);
    return NULL;
}

static void POL_the_sockets_can_move_to_another_thread(void **state) {
    (void)state;
    struct crowd c;
    open_crowd(&c, "tcp");
    for (int again = 0; again < 3; again++) {
        /* A thread that ends, and this one, in turn. */
        join_thread(start_thread(poll_once, &c));
        expect_only(&c, -1, 0);
        send_text(c.push[again], "x", 0);
        expect_only(&c, again, -1);
        expect_text(c.pull[again], "x");
    }
    close_crowd(&c);
}

/* Every message sent by several threads is seen and read, with polls alone to wait by. */
enum { senders = 4, rounds = 3000 };

struct stream {
    void **push;
    int first;
};

static void *send_stream(void *arg) {
    const struct stream *const s = arg;
    for (int i = 0; i < rounds; i++) {
        send_text(s->push[s->first + i * 7 % (many / senders)], "x", 0);
        if (i % 64 == 0) pause_ms(1);
    }
    return NULL;
}

static void POL_many_senders_lose_nothing(void **state) {
    (void)state;
    for (int t = 0; t < 3; t++) {
        struct crowd c;
        open_crowd(&c, transports[t]);
        struct stream streams[senders];
        pthread_t threads[senders];
        for (int i = 0; i < senders; i++) {
            streams[i] = (struct stream){c.push, i * (many / senders)};
            threads[i] = start_thread(send_stream, &streams[i]);
        }
        for (int received = 0; received < senders * rounds;) {
            assert_true(zmq_poll(c.items, many, 10000) > 0);
            for (int i = 0; i < many; i++) {
                if (!(c.items[i].revents & ZMQ_POLLIN)) continue;
                /* One, or all that is there. */
                char byte;
                do {
                    const int n = zmq_recv(c.pull[i], &byte, 1, ZMQ_DONTWAIT);
                    if (n < 0) break;
                    received++;
                } while (i % 2);
            }
        }
        for (int i = 0; i < senders; i++) join_thread(threads[i]);
        expect_only(&c, -1, 0);
        close_crowd(&c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(POL_1_level_triggered_in_a_crowd),
        CASE(POL_1_other_calls_between_polls_hide_nothing),
        CASE(POL_2_several_are_ready_and_revents_are_cleared),
        CASE(POL_2_output_too),
        CASE(POL_3_a_sleeping_poll_is_woken_by_any_member),
        CASE(POL_3_a_timeout_is_kept),
        CASE(POL_items_may_change_between_calls),
        CASE(POL_a_socket_whose_descriptor_is_out),
        CASE(POL_a_closed_member_is_ENOTSOCK),
        CASE(POL_shutdown_ends_it_with_ETERM),
        CASE(POL_a_signal_ends_it_with_EINTR),
        CASE(POL_the_sockets_can_move_to_another_thread),
        CASE(POL_many_senders_lose_nothing),
    };
    return cmocka_run_group_tests_name("flow.md section 4: POL, many items", tests, NULL, NULL);
}
