/* Limits, threads, signals and fork: statements LIM-*, THR-* and FRK-* of lifecycle.md. */
#include "lifecycle_support.h"

#include <dirent.h>
#include <dlfcn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* The open descriptors below 1024, as flags. */
static int open_descriptors (bool *out)
{
    int n = 0;
    for (int fd = 0; fd < 1024; ++fd) {
        out[fd] = fcntl (fd, F_GETFD) != -1;
        n += out[fd];
    }
    return n;
}

static int count_descriptors (void)
{
    bool which[1024];
    return open_descriptors (which);
}

/* ---- LIM ---- */

static void LIM_1_one_socket_more_than_MAX_SOCKETS_is_EMFILE (void **state)
{
    (void) state;
    void *ctx = new_ctx ();
    assert_int_equal (zmq_ctx_get (ctx, ZMQ_MAX_SOCKETS), 1023);
    OK (zmq_ctx_set (ctx, ZMQ_MAX_SOCKETS, 3));
    assert_int_equal (zmq_ctx_get (ctx, ZMQ_MAX_SOCKETS), 3);
    void *s[3];
    for (int i = 0; i < 3; ++i)
        s[i] = new_socket (ctx, ZMQ_PAIR);
    errno = 0;
    assert_null (zmq_socket (ctx, ZMQ_PAIR));
    assert_int_equal (zmq_errno (), EMFILE);
    close_now (s[1]); /* a closed one makes room, perhaps a little later */
    s[1] = NULL;
    EVENTUALLY ((s[1] = zmq_socket (ctx, ZMQ_PAIR)) != NULL);
    assert_null (zmq_socket (ctx, ZMQ_PAIR));
    for (int i = 0; i < 3; ++i)
        close_now (s[i]);
    end_ctx (ctx);
}

static void LIM_1_the_default_allows_1023_sockets (void **state)
{
    (void) state;
    struct rlimit limit;
    assert_int_equal (getrlimit (RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 1200)
        skip ();
    void *ctx = new_ctx ();
    static void *s[1024];
    int n = 0;
    while (n < 1024 && (s[n] = zmq_socket (ctx, ZMQ_PAIR)))
        ++n;
    const int error = zmq_errno ();
    for (int i = 0; i < n; ++i)
        close_now (s[i]);
    assert_int_equal (n, 1023);
    assert_int_equal (error, EMFILE);
    end_ctx (ctx);
}

static void LIM_1_monitor_sockets_count_too (void **state)
{
    (void) state;
    void *ctx = new_ctx ();
    OK (zmq_ctx_set (ctx, ZMQ_MAX_SOCKETS, 2));
    void *s = new_socket (ctx, ZMQ_PAIR);
    OK (zmq_socket_monitor (s, "inproc://limit", ZMQ_EVENT_LISTENING));
    assert_null (zmq_socket (ctx, ZMQ_PAIR));
    assert_int_equal (zmq_errno (), EMFILE);
    OK (zmq_socket_monitor (s, NULL, 0));
    void *second = NULL;
    EVENTUALLY ((second = zmq_socket (ctx, ZMQ_PAIR)) != NULL);
    FAILS (zmq_socket_monitor (s, "inproc://limit-2", ZMQ_EVENT_ALL), EMFILE);
    close_now (s);
    close_now (second);
    end_ctx (ctx);
}

/* Uses up every descriptor; give_back frees them. */
static int hoard[1024];
static int hoarded;
static struct rlimit normal_limit;

static void use_up_descriptors (void)
{
    assert_int_equal (getrlimit (RLIMIT_NOFILE, &normal_limit), 0);
    struct rlimit low = normal_limit;
    low.rlim_cur = 256;
    assert_int_equal (setrlimit (RLIMIT_NOFILE, &low), 0);
    hoarded = 0;
    for (int fd; hoarded < 1024 && (fd = fcntl (STDIN_FILENO, F_DUPFD_CLOEXEC, 0)) >= 0;)
        hoard[hoarded++] = fd;
}

static void give_back_descriptors (void)
{
    for (int i = 0; i < hoarded; ++i)
        close (hoard[i]);
    hoarded = 0;
    setrlimit (RLIMIT_NOFILE, &normal_limit);
}

/* Also after a failure in between, so that the other tests have descriptors. */
static int restore_descriptors (void **state)
{
    if (hoarded)
        give_back_descriptors ();
    return watchdog_off (state);
}

#define TEST_WITH_HOARD(name) cmocka_unit_test_setup_teardown (name, watchdog_on, restore_descriptors)

/* A socket of ours takes its descriptors when it has something to wait for. */
static void LIM_2_out_of_descriptors_sockets_in_a_running_context_are_made (void **state)
{
    (void) state;
    OURS_IS_BETTER ("4.3.4 needs a descriptor for every socket");
    void *ctx = new_ctx ();
    void *a = new_socket (ctx, ZMQ_PAIR);
    use_up_descriptors ();
    void *b = zmq_socket (ctx, ZMQ_PAIR);
    const int bound = zmq_bind (a, "inproc://without");
    const int connected = zmq_connect (b, "inproc://without");
    const int sent = zmq_send (b, "x", 1, 0);
    char body[8];
    const int received = zmq_recv (a, body, sizeof body, 0);
    zmq_pollitem_t one = {b, 0, ZMQ_POLLIN, 0};
    const int polled = zmq_poll (&one, 1, 10);
    /* Who has to wait for two at once can not do without. */
    zmq_pollitem_t two[] = {{a, 0, ZMQ_POLLIN, 0}, {b, 0, ZMQ_POLLIN, 0}};
    errno = 0;
    const int polled_two = zmq_poll (two, 2, 1000);
    const int poll_error = zmq_errno ();
    int fd = -1;
    size_t size = sizeof fd;
    errno = 0;
    const int asked = zmq_getsockopt (b, ZMQ_FD, &fd, &size);
    const int fd_error = zmq_errno ();
    give_back_descriptors ();
    assert_non_null (b);
    assert_int_equal (bound, 0);
    assert_int_equal (connected, 0);
    assert_int_equal (sent, 1);
    assert_int_equal (received, 1);
    assert_int_equal (polled, 0);
    assert_int_equal (polled_two, -1);
    assert_int_equal (poll_error, EMFILE);
    assert_int_equal (asked, -1);
    assert_int_equal (fd_error, EMFILE);
    /* Nothing is broken for later. */
    OK (zmq_getsockopt (b, ZMQ_FD, &fd, &size));
    send_text (a, "y", 0);
    assert_int_equal (zmq_poll (two, 2, DEADLINE_MS), 1);
    expect_text (b, "y");
    close_now (a);
    close_now (b);
    end_ctx (ctx);
}

/* A socket of the running context may be made on Tern, as the test above says. */
static void LIM_2_out_of_descriptors_the_first_socket_of_a_context_is_EMFILE (void **state)
{
    (void) state;
    void *fresh = new_ctx ();
    void *used = new_ctx ();
    void *s = new_socket (used, ZMQ_PAIR);
    use_up_descriptors ();
    errno = 0;
    void *ctx = zmq_ctx_new ();
    const int ctx_error = zmq_errno ();
    void *first = zmq_socket (fresh, ZMQ_PAIR);
    const int first_error = zmq_errno ();
    void *second = on_tern () ? NULL : zmq_socket (used, ZMQ_PAIR);
    const int second_error = zmq_errno ();
    give_back_descriptors ();
    if (on_tern ()) { /* takes none before its first socket */
        assert_non_null (ctx);
        end_ctx (ctx);
    } else {
        assert_null (ctx);
        assert_int_equal (ctx_error, EMFILE);
    }
    assert_null (first);
    assert_int_equal (first_error, EMFILE);
    assert_null (second);
    assert_int_equal (second_error, EMFILE);
    /* Nothing is broken for later. */
    second = new_socket (used, ZMQ_PAIR);
    OK (zmq_bind (s, "inproc://afterwards"));
    OK (zmq_connect (second, "inproc://afterwards"));
    send_text (second, "x", 0);
    expect_text (s, "x");
    close_now (s);
    close_now (second);
    end_ctx (used);
    end_ctx (fresh);
}

static void LIM_2_a_failing_accept_is_reported_and_the_listener_lives_on (void **state)
{
    (void) state;
    NOT_UNDER_MEMCHECK ("it has descriptors left, accepts, closes the connection and says EMFILE");
    char endpoint[256];
    struct monitor m;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    monitor_start (&m, ctx, s, ZMQ_EVENT_ALL);
    const struct sockaddr_in a = local_address (port_of (endpoint));
    const int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true (fd >= 0);
    use_up_descriptors ();
    const int rc = connect (fd, (const struct sockaddr *) &a, sizeof a);
    struct event e = {0, 0, ""};
    const bool came = monitor_next (&m, &e, DEADLINE_MS);
    give_back_descriptors ();
    assert_int_equal (rc, 0);
    assert_true (came);
    assert_int_equal (e.id, ZMQ_EVENT_ACCEPT_FAILED);
    assert_int_equal (e.value, EMFILE);
    assert_string_equal (e.address, endpoint);
    /* The waiting connection is accepted now, and so are new ones. */
    monitor_wait (&m, ZMQ_EVENT_ACCEPTED);
    handshake (fd, "PUSH");
    send_frame_text (fd, 0, "patience");
    expect_text (s, "patience");
    const int second = connect_raw (endpoint);
    handshake (second, "PUSH");
    send_frame_text (second, 0, "second");
    expect_text (s, "second");
    close (fd);
    close (second);
    monitor_close (&m, s);
    end_ctx (ctx);
}

static void LIM_2_ACCEPT_FAILED_is_not_repeated_in_a_tight_loop (void **state)
{
    (void) state;
    OURS_IS_BETTER ("the reference repeats ACCEPT_FAILED without a pause");
    NOT_UNDER_MEMCHECK ("it has descriptors left, accepts, closes the connection and says EMFILE");
    char endpoint[256];
    struct monitor m;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PULL);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    monitor_start (&m, ctx, s, ZMQ_EVENT_ALL);
    const struct sockaddr_in a = local_address (port_of (endpoint));
    const int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    use_up_descriptors ();
    const int rc = connect (fd, (const struct sockaddr *) &a, sizeof a);
    int failures = 0;
    struct event e;
    const int64_t end = now_ms () + 500;
    while (now_ms () < end)
        failures += monitor_next (&m, &e, 20);
    give_back_descriptors ();
    assert_int_equal (rc, 0);
    assert_in_range (failures, 1, 100);
    monitor_wait (&m, ZMQ_EVENT_ACCEPTED);
    close (fd);
    monitor_close (&m, s);
    end_ctx (ctx);
}

static void LIM_3_a_socket_uses_one_descriptor (void **state)
{
    (void) state;
    void *ctx = new_ctx ();
    void *first = new_socket (ctx, ZMQ_PAIR); /* starts the threads */
    const int before = count_descriptors ();
    void *s[10];
    int fds[10];
    for (int i = 0; i < 10; ++i)
        s[i] = new_socket (ctx, i % 2 ? ZMQ_PULL : ZMQ_ROUTER);
    for (int i = 0; i < 10; ++i) {
        size_t size = sizeof fds[i];
        OK (zmq_getsockopt (s[i], ZMQ_FD, &fds[i], &size));
        assert_int_equal (size, sizeof (int));
        assert_true (fcntl (fds[i], F_GETFD) != -1);
        for (int k = 0; k < i; ++k)
            assert_int_not_equal (fds[i], fds[k]);
        assert_int_equal (get_int (s[i], ZMQ_FD), fds[i]);
    }
    assert_int_equal (count_descriptors () - before, 10);
    for (int i = 0; i < 10; ++i)
        close_now (s[i]);
    EVENTUALLY (count_descriptors () == before);
    close_now (first);
    end_ctx (ctx);
}

static void LIM_3_a_terminated_context_leaves_no_descriptor (void **state)
{
    (void) state;
    char endpoint[256], name[256];
    const int before = count_descriptors ();
    for (int i = 0; i < 3; ++i) {
        void *ctx = new_ctx ();
        void *pull = new_socket (ctx, ZMQ_PULL);
        void *push = new_socket (ctx, ZMQ_PUSH);
        bind_any (pull, "tcp://127.0.0.1:*", endpoint);
        bind_any (pull, "ipc://*", name);
        OK (zmq_connect (push, endpoint));
        OK (zmq_connect (push, name));
        send_text (push, "x", 0);
        expect_text (pull, "x");
        close_now (push);
        close_now (pull);
        end_ctx (ctx);
        assert_int_equal (count_descriptors (), before);
    }
}

/* ---- THR ---- */

static void *context_user (void *ctx)
{
    for (int i = 0; i < 40; ++i) {
        char name[64], byte = 0;
        const int zero = 0;
        snprintf (name, sizeof name, "inproc://%lx-%d", (unsigned long) pthread_self (), i);
        void *a = zmq_socket (ctx, ZMQ_PAIR);
        void *b = zmq_socket (ctx, ZMQ_PAIR);
        if (!a || !b || zmq_bind (a, name) || zmq_connect (b, name) || zmq_send (b, "t", 1, 0) != 1
            || zmq_recv (a, &byte, 1, 0) != 1 || byte != 't' || zmq_ctx_get (ctx, ZMQ_IO_THREADS) != 1
            || zmq_ctx_set (ctx, ZMQ_BLOCKY, i & 1) || zmq_bind (b, "tcp://127.0.0.1:*")
            || zmq_setsockopt (a, ZMQ_LINGER, &zero, sizeof zero) || zmq_close (a)
            || zmq_setsockopt (b, ZMQ_LINGER, &zero, sizeof zero) || zmq_close (b))
            return NULL;
    }
    return ctx;
}

static void THR_1_a_context_may_be_used_by_many_threads (void **state)
{
    (void) state;
    pthread_t threads[4];
    void *ctx = new_ctx ();
    for (int i = 0; i < 4; ++i)
        assert_int_equal (pthread_create (&threads[i], NULL, context_user, ctx), 0);
    for (int i = 0; i < 4; ++i) {
        void *result = NULL;
        pthread_join (threads[i], &result);
        assert_ptr_equal (result, ctx);
    }
    end_ctx (ctx);
}

static void *bounce (void *s)
{
    char byte;
    if (zmq_recv (s, &byte, 1, 0) != 1)
        return NULL;
    ++byte;
    return zmq_send (s, &byte, 1, 0) == 1 ? s : NULL;
}

static void THR_1_a_socket_may_be_handed_to_another_thread (void **state)
{
    (void) state;
    char endpoint[256], byte = 'a';
    void *ctx = new_ctx ();
    void *a = new_socket (ctx, ZMQ_PAIR);
    void *b = new_socket (ctx, ZMQ_PAIR);
    bind_any (a, "tcp://127.0.0.1:*", endpoint);
    OK (zmq_connect (b, endpoint));
    for (int i = 0; i < 10; ++i) {
        pthread_t thread;
        void *result = NULL;
        assert_int_equal (zmq_send (b, &byte, 1, 0), 1);
        assert_int_equal (pthread_create (&thread, NULL, bounce, a), 0);
        assert_int_equal (zmq_recv (b, &byte, 1, 0), 1);
        pthread_join (thread, &result);
        assert_ptr_equal (result, a);
    }
    assert_int_equal (byte, 'a' + 10);
    close_now (a);
    close_now (b);
    end_ctx (ctx);
}

struct task
{
    long id;
    char name[32];
    unsigned long long blocked;
};

static int list_tasks (struct task *out, int capacity)
{
    int n = 0;
    DIR *d = opendir ("/proc/self/task");
    assert_non_null (d);
    for (struct dirent *e; n < capacity && (e = readdir (d));) {
        char path[300], line[256];
        if (e->d_name[0] == '.')
            continue;
        snprintf (path, sizeof path, "/proc/self/task/%s/status", e->d_name);
        FILE *f = fopen (path, "r");
        if (!f)
            continue;
        memset (&out[n], 0, sizeof out[n]);
        out[n].id = atol (e->d_name);
        while (fgets (line, sizeof line, f)) {
            sscanf (line, "Name: %31[^\n]", out[n].name);
            sscanf (line, "SigBlk: %llx", &out[n].blocked);
        }
        fclose (f);
        ++n;
    }
    closedir (d);
    return n;
}

static bool in_tasks (const struct task *tasks, int n, long id)
{
    for (int i = 0; i < n; ++i)
        if (tasks[i].id == id)
            return true;
    return false;
}

static bool has_name (const struct task *tasks, int n, const char *name)
{
    for (int i = 0; i < n; ++i)
        if (strcmp (tasks[i].name, name) == 0)
            return true;
    return false;
}

static void THR_2_library_threads_block_all_signals_and_have_names (void **state)
{
    (void) state;
    struct task before[64], after[64];
    const int n_before = list_tasks (before, 64);
    int n = 0;
    void *ctx = new_ctx ();
    OK (zmq_ctx_set (ctx, ZMQ_IO_THREADS, 2));
    void *s = new_socket (ctx, ZMQ_PAIR);
    const int64_t end = now_ms () + DEADLINE_MS;
    do {
        n = list_tasks (after, 64);
        assert_true (now_ms () < end);
    } while (!(on_tern () || has_name (after, n, "ZMQbg/Reaper")) || !has_name (after, n, "ZMQbg/IO/0")
             || !has_name (after, n, "ZMQbg/IO/1"));
    int ours = 0;
    static const int signals[] = {SIGHUP,  SIGINT,  SIGTERM, SIGUSR1, SIGUSR2, SIGALRM,
                                  SIGCHLD, SIGPIPE, SIGQUIT, SIGPROF, SIGWINCH};
    for (int i = 0; i < n; ++i) {
        if (in_tasks (before, n_before, after[i].id))
            continue;
        ++ours;
        for (size_t k = 0; k < sizeof signals / sizeof *signals; ++k)
            if (!(after[i].blocked >> (signals[k] - 1) & 1))
                fail_msg ("thread %s does not block signal %d", after[i].name, signals[k]);
    }
    assert_true (ours >= (on_tern () ? 2 : 3)); /* Tern closes sockets without a thread for it */
    close_now (s);
    end_ctx (ctx);
}

static atomic_int handler_runs;
static atomic_int handler_elsewhere;

static void note_thread (int number)
{
    (void) number;
    atomic_fetch_add (&handler_runs, 1);
    if (syscall (SYS_gettid) != getpid ())
        atomic_fetch_add (&handler_elsewhere, 1);
}

static void THR_2_signal_handlers_run_in_program_threads_only (void **state)
{
    (void) state;
    struct sigaction action, old;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PAIR);
    memset (&action, 0, sizeof action);
    action.sa_handler = note_thread;
    sigaction (SIGUSR2, &action, &old);
    atomic_store (&handler_runs, 0);
    atomic_store (&handler_elsewhere, 0);
    for (int i = 0; i < 100; ++i) {
        kill (getpid (), SIGUSR2);
        EVENTUALLY (atomic_load (&handler_runs) == i + 1);
    }
    assert_int_equal (atomic_load (&handler_elsewhere), 0);
    sigaction (SIGUSR2, &old, NULL);
    close_now (s);
    end_ctx (ctx);
}

static void THR_3_SIGPIPE_never_reaches_the_program (void **state)
{
    (void) state;
    char endpoint[256];
    struct ipc_place place;
    struct sigaction action, old;
    void *ctx = new_ctx ();
    void *s = new_socket (ctx, ZMQ_PUSH);
    make_ipc_place (&place);
    memset (&action, 0, sizeof action);
    action.sa_handler = note_thread;
    sigaction (SIGPIPE, &action, &old);
    atomic_store (&handler_runs, 0);
    bind_any (s, "tcp://127.0.0.1:*", endpoint);
    OK (zmq_bind (s, place.endpoint));
    static char block[60000];
    for (int i = 0; i < 10; ++i) {
        struct monitor m;
        monitor_start (&m, ctx, s, ZMQ_EVENT_DISCONNECTED);
        const int fd = connect_raw (i % 2 ? place.endpoint : endpoint);
        handshake (fd, "PULL");
        wait_events (s, ZMQ_POLLOUT);
        for (int k = 0; k < 50; ++k)
            zmq_send (s, block, sizeof block, ZMQ_DONTWAIT); /* the library is writing ... */
        shutdown (fd, SHUT_RD);
        close (fd); /* ... to a connection that breaks */
        const int64_t end = now_ms () + DEADLINE_MS;
        struct event e;
        while (!monitor_next (&m, &e, 2)) {
            zmq_send (s, block, sizeof block, ZMQ_DONTWAIT);
            assert_true (now_ms () < end);
        }
        EVENTUALLY (events_of (s) == 0);
        OK (zmq_socket_monitor (s, NULL, 0));
        close_now (m.collector);
    }
    close_now (s);
    end_ctx (ctx);
    sigaction (SIGPIPE, &old, NULL);
    assert_int_equal (atomic_load (&handler_runs), 0);
    remove_ipc_place (&place);
}

static void THR_4_all_descriptors_are_close_on_exec (void **state)
{
    (void) state;
    char endpoint[256], name[256];
    bool before[1024], now[1024];
    open_descriptors (before);
    void *ctx = new_ctx ();
    void *pull = new_socket (ctx, ZMQ_PULL);
    void *push = new_socket (ctx, ZMQ_PUSH);
    bind_any (pull, "tcp://127.0.0.1:*", endpoint);
    bind_any (pull, "ipc://*", name);
    OK (zmq_connect (push, endpoint));
    OK (zmq_connect (push, name));
    for (int i = 0; i < 2; ++i)
        send_text (push, "x", 0); /* one over each */
    for (int i = 0; i < 2; ++i)
        expect_text (pull, "x");
    open_descriptors (now);
    int ours = 0;
    for (int fd = 0; fd < 1024; ++fd)
        if (now[fd] && !before[fd]) {
            ++ours;
            if (!(fcntl (fd, F_GETFD) & FD_CLOEXEC))
                fail_msg ("descriptor %d would be inherited", fd);
        }
    assert_true (ours >= 2 + 2 + 4); /* sockets, listeners, both ends of two connections */
    close_now (push);
    close_now (pull);
    end_ctx (ctx);
}

/* ---- FRK ---- */

/* A process with several threads that forks may not start threads in the child under ThreadSanitizer. */
static bool under_thread_sanitizer (void)
{
    return dlsym (RTLD_DEFAULT, "__tsan_init") != NULL;
}

static void wait_for_child (pid_t child)
{
    int status = 0;
    pid_t got = 0;
    EVENTUALLY ((got = waitpid (child, &status, WNOHANG)) != 0);
    assert_int_equal (got, child);
    if (!WIFEXITED (status) || WEXITSTATUS (status) != 0)
        fail_msg ("the child failed at check %d (signal %d)", WIFEXITED (status) ? WEXITSTATUS (status) : -1,
                  WIFSIGNALED (status) ? WTERMSIG (status) : 0);
}

/* A connected pair of sockets over each of tcp and ipc, with a monitor that would see a loss. */
struct family
{
    void *ctx;
    void *pull;
    void *push[2];
    struct monitor m;
    struct ipc_place place;
    char tcp[256];
    char wildcard[256];
};

static void make_family (struct family *f)
{
    f->ctx = new_ctx ();
    f->pull = new_socket (f->ctx, ZMQ_PULL);
    f->push[0] = new_socket (f->ctx, ZMQ_PUSH);
    f->push[1] = new_socket (f->ctx, ZMQ_PUSH);
    make_ipc_place (&f->place);
    bind_any (f->pull, "tcp://127.0.0.1:*", f->tcp);
    bind_any (f->pull, "ipc://*", f->wildcard);
    OK (zmq_bind (f->pull, f->place.endpoint));
    monitor_start (&f->m, f->ctx, f->pull, ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_MONITOR_STOPPED);
    OK (zmq_connect (f->push[0], f->tcp));
    OK (zmq_connect (f->push[1], f->place.endpoint));
    for (int i = 0; i < 2; ++i) {
        send_text (f->push[i], "before", 0);
        expect_text (f->pull, "before");
    }
}

static void expect_family_unharmed (struct family *f)
{
    monitor_quiet (&f->m, QUIET_MS);
    assert_true (file_exists (f->place.file));
    assert_true (file_exists (f->wildcard + 6));
    for (int i = 0; i < 2; ++i) {
        send_text (f->push[i], "after", 0);
        expect_text (f->pull, "after");
    }
    void *late = new_socket (f->ctx, ZMQ_PUSH); /* the listeners work too */
    OK (zmq_connect (late, f->tcp));
    OK (zmq_connect (late, f->wildcard));
    for (int i = 0; i < 2; ++i) {
        send_text (late, "late", 0);
        expect_text (f->pull, "late");
    }
    close_now (late);
    close_now (f->push[0]);
    close_now (f->push[1]);
    monitor_close (&f->m, f->pull);
    end_ctx (f->ctx);
    remove_ipc_place (&f->place);
}

/* The number of the first check that fails, 0 for none. */
static int child_uses_inherited_sockets (struct family *f)
{
    char byte;
    const int64_t start = now_ms ();
    if (zmq_recv (f->pull, &byte, 1, 0) != -1 || zmq_errno () != EINTR)
        return 1;
    zmq_msg_t msg;
    zmq_msg_init (&msg);
    if (zmq_msg_recv (&msg, f->pull, 0) != -1 || zmq_errno () != EINTR)
        return 2;
    zmq_msg_close (&msg);
    if (zmq_close (f->pull) != 0)
        return 3;
    if (zmq_close (f->push[0]) != 0 || zmq_close (f->push[1]) != 0 || zmq_close (f->m.collector) != 0)
        return 4;
    if (zmq_ctx_term (f->ctx) != -1 || zmq_errno () != EINTR)
        return 5;
    if (now_ms () - start > DEADLINE_MS)
        return 6;
    return 0;
}

static int child_uses_a_context_of_its_own (void)
{
    char endpoint[256], byte = 0;
    size_t size = sizeof endpoint;
    const int zero = 0;
    void *ctx = zmq_ctx_new ();
    if (!ctx)
        return 11;
    void *pull = zmq_socket (ctx, ZMQ_PULL);
    void *push = zmq_socket (ctx, ZMQ_PUSH);
    if (!pull || !push)
        return 12;
    if (zmq_bind (pull, "tcp://127.0.0.1:*") || zmq_getsockopt (pull, ZMQ_LAST_ENDPOINT, endpoint, &size))
        return 13;
    if (zmq_connect (push, endpoint) || zmq_send (push, "c", 1, 0) != 1)
        return 14;
    if (zmq_recv (pull, &byte, 1, 0) != 1 || byte != 'c')
        return 15;
    zmq_setsockopt (push, ZMQ_LINGER, &zero, sizeof zero);
    if (zmq_close (push) || zmq_close (pull) || zmq_ctx_term (ctx))
        return 16;
    return 0;
}

static void FRK_1_a_child_gets_EINTR_and_the_parent_is_unaffected (void **state)
{
    (void) state;
    struct family f;
    make_family (&f);
    fflush (NULL);
    const pid_t child = fork ();
    assert_true (child >= 0);
    if (child == 0) {
        set_watchdog (30);
        _exit (child_uses_inherited_sockets (&f));
    }
    wait_for_child (child);
    expect_family_unharmed (&f);
}

static void FRK_1_a_child_may_use_a_context_of_its_own (void **state)
{
    (void) state;
    if (under_thread_sanitizer ())
        skip (); /* the sanitizer ends a forked child that starts threads */
    struct family f;
    make_family (&f);
    for (int close_first = 0; close_first < 2; ++close_first) {
        fflush (NULL);
        const pid_t child = fork ();
        assert_true (child >= 0);
        if (child == 0) {
            set_watchdog (30);
            int failed = close_first ? child_uses_inherited_sockets (&f) : 0;
            if (!failed)
                failed = child_uses_a_context_of_its_own ();
            _exit (failed);
        }
        wait_for_child (child);
    }
    expect_family_unharmed (&f);
}

static void FRK_1_pending_messages_of_the_parent_are_delivered_once (void **state)
{
    (void) state;
    struct port port;
    void *ctx = new_ctx ();
    void *push = new_socket (ctx, ZMQ_PUSH);
    reserve_port (&port);
    set_int (push, ZMQ_RECONNECT_IVL, 10);
    OK (zmq_connect (push, port.endpoint));
    for (int i = 0; i < 5; ++i)
        send_text (push, "pending", 0);
    fflush (NULL);
    const pid_t child = fork ();
    assert_true (child >= 0);
    if (child == 0) {
        set_watchdog (30);
        _exit (zmq_close (push) == 0 && zmq_ctx_term (ctx) == -1 && zmq_errno () == EINTR ? 0 : 1);
    }
    wait_for_child (child);
    listen_at (&port);
    const int fd = accept_one (&port);
    handshake (fd, "PULL");
    for (int i = 0; i < 5; ++i)
        expect_frame_text (fd, 0, "pending");
    expect_quiet (fd, QUIET_MS);
    assert_int_equal (accept_within (&port, 0), -1);
    close (fd);
    close_now (push);
    end_ctx (ctx);
    release_port (&port);
}

int main (void)
{
    const struct CMUnitTest tests[] = {
        TEST (LIM_1_one_socket_more_than_MAX_SOCKETS_is_EMFILE),
        TEST (LIM_1_the_default_allows_1023_sockets),
        TEST (LIM_1_monitor_sockets_count_too),
        TEST_WITH_HOARD (LIM_2_out_of_descriptors_sockets_in_a_running_context_are_made),
        TEST_WITH_HOARD (LIM_2_out_of_descriptors_the_first_socket_of_a_context_is_EMFILE),
        TEST_WITH_HOARD (LIM_2_a_failing_accept_is_reported_and_the_listener_lives_on),
        TEST_WITH_HOARD (LIM_2_ACCEPT_FAILED_is_not_repeated_in_a_tight_loop),
        TEST (LIM_3_a_socket_uses_one_descriptor),
        TEST (LIM_3_a_terminated_context_leaves_no_descriptor),
        TEST (THR_1_a_context_may_be_used_by_many_threads),
        TEST (THR_1_a_socket_may_be_handed_to_another_thread),
        TEST (THR_2_library_threads_block_all_signals_and_have_names),
        TEST (THR_2_signal_handlers_run_in_program_threads_only),
        TEST (THR_3_SIGPIPE_never_reaches_the_program),
        TEST (THR_4_all_descriptors_are_close_on_exec),
        TEST (FRK_1_a_child_gets_EINTR_and_the_parent_is_unaffected),
        TEST (FRK_1_a_child_may_use_a_context_of_its_own),
        TEST (FRK_1_pending_messages_of_the_parent_are_delivered_once),
    };
    return cmocka_run_group_tests_name ("limits, threads and fork", tests, NULL, NULL);
}
