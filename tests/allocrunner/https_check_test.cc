// Checks over https against real TLS servers (python3's), with certificates made for the occasion.
#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>

#include "allocrunner/check_probe.h"
#include "base/rng.h"
#include "tests/allocrunner/scratch.h"

namespace gaggle::allocrunner {

namespace {

/// Ports in its order of talking: a known certificate, a stranger's, no TLS, silence.
constexpr const char* kServer = R"(
import socket, ssl, sys, threading
where = sys.argv[1]
def serve(certificate, talk):
    listener = socket.create_server(('127.0.0.1', 0))
    print(listener.getsockname()[1], flush=True)
    def run():
        context = None
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(where + '/' + certificate + '.pem')
        while True:
            client, _ = listener.accept()
            try:
                talk(context.wrap_socket(client, server_side=True) if context else client)
            except OSError:
                client.close()
    threading.Thread(target=run, daemon=True).start()
held = []
def answer(client):
    head = b''
    while b'\r\n\r\n' not in head:
        head += client.recv(4096)
    head, _, body = head.partition(b'\r\n\r\n')
    size = [int(line[15:]) for line in head.split(b'\r\n') if line.startswith(b'Content-Length:')]
    left = sum(size) - len(body)
    while left > 0:
        left -= len(client.recv(65536))
    status = b'500 Oops' if b' /broken ' in head else b'200 OK'
    client.sendall(b'HTTP/1.1 ' + status + b'\r\nContent-Length: 0\r\n\r\n')
    client.close()
serve('known', answer)
serve('stranger', answer)
def answer_plainly(client):
    client.recv(65536)
    client.sendall(b'HTTP/1.1 400 Bad Request\r\n\r\n')
    client.close()
serve(None, answer_plainly)
serve(None, held.append)
print('ready', flush=True)
sys.stdin.read()
)";

/// A self-signed certificate and its key, both in `where`/`name`.pem.
void make_certificate(const std::string& where, const std::string& name) {
    const std::string file = where + "/" + name + ".pem";
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
        name + " -addext subjectAltName=IP:127.0.0.1,DNS:web.internal -keyout " + file + ".key" +
        " -out " + file + " 2>/dev/null && cat " + file + ".key >> " + file;
    REQUIRE(system(command.c_str()) == 0);
}

class Servers {
  public:
    Servers() {
        make_certificate(scratch_.path(), "known");
        make_certificate(scratch_.path(), "stranger");
        // Before the first check of this process: what it trusts is read once.
        setenv("SSL_CERT_FILE", (scratch_.path() + "/known.pem").c_str(), 1);
        int out[2], in[2];
        REQUIRE(pipe(out) == 0);
        REQUIRE(pipe(in) == 0);
        pid_ = fork();
        if (pid_ == 0) {
            dup2(in[0], 0);
            dup2(out[1], 1);
            for (const int fd : {in[0], in[1], out[0], out[1]}) close(fd);
            execlp("python3", "python3", "-c", kServer, scratch_.path().c_str(), nullptr);
            _exit(127);
        }
        close(in[0]);
        close(out[1]);
        input_ = in[1];
        FILE* lines = fdopen(out[0], "r");
        for (std::uint16_t* port : {&known, &stranger, &plain, &mute}) {
            unsigned read = 0;
            REQUIRE(fscanf(lines, "%u", &read) == 1);
            *port = static_cast<std::uint16_t>(read);
        }
        char word[16] = "";
        REQUIRE(fscanf(lines, "%15s", word) == 1);
        fclose(lines);
    }
    ~Servers() {
        close(input_);
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        unsetenv("SSL_CERT_FILE");
    }

    std::uint16_t known = 0, stranger = 0, plain = 0, mute = 0;

  private:
    ScratchDir scratch_;
    pid_t pid_ = 0;
    int input_ = -1;
};

/// As the thread `links` does it; nothing after `patience`.
std::optional<ProbeResult> probe(const RunCheck& check,
                                 std::chrono::milliseconds patience = std::chrono::seconds(20)) {
    CheckProbe probe(check);
    auto result = probe.begin();
    const auto end = std::chrono::steady_clock::now() + patience;
    while (!result) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        pollfd what{probe.fd(), static_cast<short>(probe.wants_to_read() ? POLLIN : POLLOUT), 0};
        if (left.count() <= 0 || poll(&what, 1, static_cast<int>(left.count())) == 0)
            return std::nullopt;
        result = probe.advance();
    }
    return result;
}

RunCheck check_of(std::uint16_t port, CheckTls tls, const std::string& path = "/health") {
    RunCheck check;
    check.type = "http";
    check.host = "127.0.0.1";
    check.port = port;
    check.path = path;
    check.tls = std::move(tls);
    return check;
}

}  // namespace

TEST_CASE("a check over https takes the certificates that its job says, and reads the answer") {
    const Servers servers;
    struct Row {
        std::string about;
        RunCheck check;
        const char* says;  ///< begins with + when it passes
    };
    const CheckTls any{.server_name = "", .skip_verify = true};
    for (const Row& row :
         {Row{"trusted, for the address", check_of(servers.known, {}), "+200 OK"},
          Row{"trusted, for the name", check_of(servers.known, {.server_name = "web.internal"}),
              "+200 OK"},
          Row{"trusted, for another name", check_of(servers.known, {.server_name = "db.internal"}),
              "its certificate was not accepted: hostname mismatch"},
          Row{"not trusted", check_of(servers.stranger, {}),
              "its certificate was not accepted: self-signed certificate; add its CA to "
              "/etc/ssl/certs of this peer, or set tls_skip_verify = true"},
          Row{"not trusted, and not asked for", check_of(servers.stranger, any), "+200 OK"},
          Row{"another answer", check_of(servers.stranger, any, "/broken"), "500 Oops"},
          Row{"no TLS", check_of(servers.plain, any), "its TLS handshake failed: "},
          Row{"no name", check_of(servers.known, {.server_name = std::string(300, 'x')}),
              "cannot be the name of a TLS server"}}) {
        CAPTURE(row.about);
        const auto result = probe(row.check);
        REQUIRE(result);
        const std::string says = (result->ok ? "+" : "") + result->output;
        CAPTURE(says);
        const bool passes = *row.says == '+';
        CHECK(result->ok == passes);
        CHECK(result->output.starts_with("https 127.0.0.1:" + std::to_string(row.check.port) +
                                         row.check.path + ": "));
        CHECK(result->output.find(row.says + (passes ? 1 : 0)) != std::string::npos);
    }
    CHECK_FALSE(probe(check_of(servers.mute, any), std::chrono::milliseconds(200)).has_value());
}

TEST_CASE("a request that is larger than the socket's room goes through TLS in parts") {
    const Servers servers;
    RunCheck check = check_of(servers.stranger, {.server_name = "", .skip_verify = true});
    check.body = std::string(8U << 20U, 'x');
    const auto result = probe(check);
    REQUIRE(result);
    CHECK(result->ok);
}

TEST_CASE("bytes of any kind harm a TLS client in no way") {
    Rng rng(5);
    for (int round = 0; round < 2'000; ++round) {
        auto client = TlsClient::open({.server_name = "a", .skip_verify = true}, "127.0.0.1");
        REQUIRE(client.ok());
        CHECK_FALSE(client->take_outgoing().empty());
        std::string bytes;
        for (std::uint64_t left = 1 + rng.below(200); left > 0; --left)
            bytes += static_cast<char>(rng.below(256));
        // The beginning of what could be a handshake, a third of the time.
        if (round % 3 == 0) bytes.replace(0, 3, "\x16\x03\x03");
        const Result<void> taken = client->receive(bytes);
        CHECK_FALSE(client->established());
        CHECK(client->take_text().empty());
        if (!taken.ok()) CHECK(taken.error().code == Errc::corrupt);
    }
}

}  // namespace gaggle::allocrunner
