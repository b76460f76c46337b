"""The Docker daemon of the Compose tests with our image and those of the apps."""

import re

from docker import BASE, Docker, harness

POSTGRES = """#!/bin/sh
set -e
data=/var/lib/postgresql/data
programs=$(echo /usr/lib/postgresql/*/bin)
as_postgres="setpriv --reuid=postgres --regid=postgres --init-groups"
install -d -o postgres -m 700 $data
if [ ! -e $data/PG_VERSION ]; then
  echo "$POSTGRES_PASSWORD" > /tmp/password
  chown postgres /tmp/password
  $as_postgres $programs/initdb -D $data -A scram-sha-256 --pwfile=/tmp/password >/dev/null
  echo "host all all all scram-sha-256" >> $data/pg_hba.conf
fi
exec $as_postgres $programs/postgres -D $data -c listen_addresses='*'
"""
SSHD = """#!/bin/sh
mkdir -p /run/sshd
exec /usr/sbin/sshd -D -e -p 2200
"""
ELECTRUM = (harness.ROOT / "tests/system/electrum_server.py").read_text(encoding="utf-8")
IMAGES = {"POSTGRES_IMAGE": "test/postgres", "REDIS_IMAGE": "test/redis", "WEB_IMAGE": "test/web",
          "ELECTRUM_IMAGE": "test/electrum", "HAPROXY_IMAGE": "test/haproxy"}


class Daemon(Docker):
    def __init__(self, stage):
        super().__init__(stage)
        self.make_base("ca-certificates", "haproxy", "openssh-server", "openssl", "postgresql",
                       "python3", "redis-server")
        self.make_sidestream()
        self.make_image("test/postgres", "COPY start /start", 'ENTRYPOINT ["/start"]',
                        start=POSTGRES)
        self.make_image("test/redis", 'ENTRYPOINT ["redis-server", "--bind", "0.0.0.0", '
                        '"--protected-mode", "no", "--save", ""]')
        self.make_image(
            "test/web", "RUN openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
            "-keyout /key.pem -out /cert.pem -subj /CN=www.example.com "
            "-addext subjectAltName=DNS:www.example.com",
            'ENTRYPOINT ["openssl", "s_server", "-accept", "443", "-key", "/key.pem", "-cert", '
            '"/cert.pem", "-www", "-quiet"]')
        self.make_image(
            "test/ssh", "COPY start /start",
            "RUN mkdir -m 700 ~/.ssh && ssh-keygen -q -t ed25519 -N '' -f /id && "
            "cp /id.pub ~/.ssh/authorized_keys", 'ENTRYPOINT ["/start"]', start=SSHD)
        self.make_image("test/electrum", "COPY server /server.py",
                        'ENTRYPOINT ["python3", "/server.py", "0.0.0.0", "50001"]', server=ELECTRUM)
        # As in the image of HAProxy's makers: a worker, in the foreground.
        self.make_image("test/haproxy", 'ENTRYPOINT ["haproxy", "-W", "-db", "-f", '
                        '"/usr/local/etc/haproxy/haproxy.cfg"]')

    def client(self, *words, image=BASE, environment=(), check=False, seconds=30):
        """A client in the daemon's own network, as one on the host would be."""
        variables = [word for one in environment for word in ("--env", one)]
        return self.run("run", "--rm", "--network", "host", *variables, "--entrypoint", words[0],
                        image, *words[1:], check=check, seconds=seconds)

    def redis(self, port, *words):
        return self.client("redis-cli", "-h", "127.0.0.1", "-p", port, *words).stdout.strip()

    def psql(self, port, password, query):
        return self.client("psql", "-h", "127.0.0.1", "-p", port, "-U", "postgres", "-Atc", query,
                           environment=[f"PGPASSWORD={password}"]).stdout.strip()

    def page(self, name, port=443):
        """Whether a web page comes, for that server name."""
        ask = ("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | openssl s_client -quiet -connect "
               f"127.0.0.1:{port} -servername {name}")
        return "HTTP/1.0 200" in self.client("sh", "-c", ask).stdout


def ticket_of(edge, name, *allow):
    words = [word for endpoint in allow for word in ("--allow", endpoint)]
    printed = edge.sidestream("invite", name, *words).stdout
    return re.search(r"ss1_[A-Za-z0-9_-]+", printed).group(0)


def keep_ticket(project, ticket):
    """As the file that a project reads as a secret."""
    secret = project.folder / "ticket"
    secret.write_text(ticket + "\n", encoding="ascii")
    harness.run(["chown", "65532", secret])
    secret.chmod(0o400)
