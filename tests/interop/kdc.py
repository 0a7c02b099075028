"""A Kerberos realm of its own for a test: MIT's krb5kdc on a loopback port, with its configuration,
data base, keytabs and ticket caches in one temporary folder. Needs no rights and touches nothing
outside the folder."""
import os
import random
import shutil
import socket
import subprocess
import time

REALM = "TERN.TEST"
PROGRAMS = ("krb5kdc", "kdb5_util", "kadmin.local", "kinit")

CLIENT_CONFIG = """\
[libdefaults]
    default_realm = {realm}
    dns_lookup_realm = false
    dns_lookup_kdc = false
    dns_canonicalize_hostname = false
    rdns = false
    qualify_shortname = ""
    udp_preference_limit = 1
    default_ccache_name = FILE:{folder}/nobody.cache
    default_keytab_name = FILE:{folder}/nobody.keytab
    default_client_keytab_name = FILE:{folder}/nobody.keytab
[realms]
    {realm} = {{
        kdc = 127.0.0.1:{port}
    }}
    SILENT.TEST = {{
        kdc = 127.0.0.1:{silent_port}
    }}
[domain_realm]
    localhost = {realm}
    127.0.0.1 = {realm}
[plugins]
    ccselect = {{
        disable = k5identity
    }}
"""

KDC_CONFIG = """\
[kdcdefaults]
    kdc_listen = 127.0.0.1:{port}
    kdc_tcp_listen = 127.0.0.1:{port}
[realms]
    {realm} = {{
        database_name = {folder}/principals
        key_stash_file = {folder}/stash
        acl_file = {folder}/acl
        max_life = 10h
        supported_enctypes = {enctypes}
    }}
[dbmodules]
    {realm} = {{
        db_library = db2
        disable_last_success = true
    }}
"""


def find(program):
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def missing_programs():
    return [program for program in PROGRAMS if not find(program)]


def free_port():
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Kdc:
    """`with Kdc(folder) as kdc`: the realm is up inside. Principals are added while it runs."""

    def __init__(self, folder, enctypes="aes256-cts-hmac-sha1-96:normal"):
        self.folder, self.enctypes, self.process = folder, enctypes, None
        self.port = free_port()
        # Takes connections and says nothing: a KDC that hangs.
        self.silent = socket.socket()
        self.silent.bind(("127.0.0.1", 0))
        self.silent.listen(64)
        names = {"realm": REALM, "folder": folder, "port": self.port, "enctypes": enctypes,
                 "silent_port": self.silent.getsockname()[1]}
        for name, text in (("krb5.conf", CLIENT_CONFIG), ("kdc.conf", KDC_CONFIG), ("acl", "")):
            with open(self.path(name), "w") as file:
                file.write(text.format(**names))
        self.environment = dict(os.environ, KRB5_CONFIG=self.path("krb5.conf"),
                                KRB5_KDC_PROFILE=self.path("kdc.conf"), KRB5RCACHETYPE="dfl",
                                KRB5RCACHEDIR=folder, TMPDIR=folder)
        for name in ("KRB5CCNAME", "KRB5_KTNAME", "KRB5_CLIENT_KTNAME"):
            self.environment.pop(name, None)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, program, *arguments, **options):
        done = subprocess.run([find(program), *arguments], env=self.environment, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, **options)
        if done.returncode != 0:
            raise RuntimeError(f"{program} {' '.join(arguments)}: {done.stdout}")
        return done.stdout

    def __enter__(self):
        try:
            self.run("kdb5_util", "-r", REALM, "create", "-s", "-P", "master of nothing")
            self.process = subprocess.Popen(
                [find("krb5kdc"), "-n", "-r", REALM, "-P", self.path("pid")], env=self.environment,
                stdin=subprocess.DEVNULL, stdout=open(self.path("kdc.log"), "w"),
                stderr=subprocess.STDOUT)
            self.await_port()
        except BaseException:
            self.__exit__()
            raise
        return self

    def await_port(self):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        with open(self.path("kdc.log")) as log:
            raise RuntimeError(f"krb5kdc did not come up: {log.read()}")

    def __exit__(self, *_):
        self.silent.close()
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()

    def add(self, *principals):
        """Each gets random keys and a keytab, whose path is keytab(principal)."""
        for principal in principals:
            self.run("kadmin.local", "-r", REALM, "addprinc", "-randkey", principal)
            self.run("kadmin.local", "-r", REALM, "ktadd", "-norandkey", "-k", self.keytab(principal),
                     principal)

    def keytab(self, principal):
        return self.path(principal.replace("/", "_") + ".keytab")

    def ticket_cache(self, principal):
        """The path of a ticket cache with a fresh ticket of the principal."""
        cache = self.path(principal.replace("/", "_") + ".cache")
        self.run("kinit", "-c", cache, "-k", "-t", self.keytab(principal), principal)
        return cache
