#include <pthread.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <thread>
#include <utility>  // before Asio 1.74, which forgets it

#include "base/log.h"
#include "gctl/agent/dns_server.h"
#include "gctl/agent/dns_zone.h"

namespace gaggle {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;
using udp = asio::ip::udp;

namespace {

constexpr std::size_t kQuestionBytesMax = 4096;  // by UDP; more is cut and then malformed
constexpr std::size_t kTcpBytesMax = 65535;      // the length has two bytes
constexpr std::size_t kPlainUdpBytes = 512;      // without EDNS
constexpr Duration kAcceptPause = 100ms;         // after a failure to accept

}  // namespace

struct DnsServer::Impl {
    /// One TCP connection. Shared by its own pending operations, the last of which ends it.
    class Connection : public std::enable_shared_from_this<Connection> {
      public:
        Connection(Impl& server, tcp::socket socket)
            : server_(server), socket_(std::move(socket)), idle_(server.io) {
            ++server_.connections;
        }
        ~Connection() { --server_.connections; }

        void read_length() {
            idle_.expires_after(kTcpIdle);
            idle_.async_wait([self = shared_from_this()](error_code cancelled) {
                error_code ignored;
                if (!cancelled) self->socket_.close(ignored);
            });
            asio::async_read(socket_, asio::buffer(length_),
                             [self = shared_from_this()](error_code failed, std::size_t) {
                                 if (failed) return self->end();
                                 self->read_question();
                             });
        }

      private:
        void read_question() {
            question_.resize(static_cast<std::size_t>(length_[0]) << 8U | length_[1]);
            asio::async_read(socket_, asio::buffer(question_),
                             [self = shared_from_this()](error_code failed, std::size_t) {
                                 if (failed) return self->end();
                                 self->reply();
                             });
        }
        void reply() {
            const Bytes answer = server_.answer(question_, kTcpBytesMax, false);
            if (answer.empty()) return end();
            out_ = {static_cast<std::uint8_t>(answer.size() >> 8U),
                    static_cast<std::uint8_t>(answer.size() & 0xffU)};
            out_.insert(out_.end(), answer.begin(), answer.end());
            asio::async_write(socket_, asio::buffer(out_),
                              [self = shared_from_this()](error_code failed, std::size_t) {
                                  if (failed) return self->end();
                                  self->read_length();
                              });
        }
        void end() {
            error_code ignored;
            idle_.cancel(ignored);
            socket_.close(ignored);
        }

        Impl& server_;
        tcp::socket socket_;
        asio::steady_timer idle_;
        std::array<std::uint8_t, 2> length_{};
        Bytes question_;
        Bytes out_;
    };

    Impl(DnsServerConfig config, const SharedServices& services, Rng rng)
        : config(std::move(config)), services(services), rng(rng) {}

    Result<void> listen() {
        error_code failed;
        const auto address = asio::ip::make_address(config.address, failed);
        if (failed) return wrong("it is no IP address");
        const bool near = address.is_loopback();
        udp_bytes_max = near ? kUdpBytesMaxOfLoopback : kUdpBytesMax;
        const tcp::endpoint here(address, config.port);
        acceptor.open(here.protocol(), failed);
        if (!failed) acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
        if (!failed) acceptor.bind(here, failed);
        if (!failed) acceptor.listen(static_cast<int>(kTcpConnectionsMax), failed);
        if (failed) return wrong(failed.message());
        config.port = acceptor.local_endpoint().port();
        const udp::endpoint datagrams(address, config.port);
        socket.open(datagrams.protocol(), failed);
        if (!failed) socket.bind(datagrams, failed);
        if (!failed) socket.non_blocking(true, failed);
        if (failed) return wrong(failed.message());
        return {};
    }

    Error wrong(const std::string& why) const {
        return {Errc::unavailable, "serve DNS on " + config.address + " port " +
                                       std::to_string(config.port) + ": " + why +
                                       "; choose another place with --dns ADDRESS:PORT, or none "
                                       "with --dns off"};
    }

    /// Empty: nothing is said.
    Bytes answer(BytesView message, std::size_t bytes_max, bool datagram) {
        const auto request = dns::read_request(message);
        if (!request) return {};
        dns::Answer out{.code = request->problem, .authoritative = false};
        if (request->problem == dns::Code::no_error)
            out = dns::answer_of([&](const auto& wanted) { return services.find(wanted); },
                                 *request->question, config.address, rng);
        std::size_t limit = bytes_max;
        if (datagram) {
            const std::size_t fits = request->edns_bytes.value_or(kPlainUdpBytes);
            limit = std::clamp(fits, kPlainUdpBytes, bytes_max);
        }
        return dns::write_answer(*request, out, limit);
    }

    void receive() {
        socket.async_receive_from(
            asio::buffer(datagram), asker, [this](error_code failed, std::size_t bytes) {
                if (failed == asio::error::operation_aborted) return;
                // Other failures are about an earlier answer that could not be delivered.
                if (!failed) {
                    const Bytes out = answer({datagram.data(), bytes}, udp_bytes_max, true);
                    error_code dropped;
                    if (!out.empty()) socket.send_to(asio::buffer(out), asker, 0, dropped);
                }
                receive();
            });
    }

    void accept() {
        acceptor.async_accept([this](error_code failed, tcp::socket accepted) {
            if (failed == asio::error::operation_aborted) return;
            if (!failed && connections < kTcpConnectionsMax)
                std::make_shared<Connection>(*this, std::move(accepted))->read_length();
            if (!failed) return accept();
            pause.expires_after(kAcceptPause);  // no descriptors: they will come back
            pause.async_wait([this](error_code cancelled) {
                if (!cancelled) accept();
            });
        });
    }

    DnsServerConfig config;
    const SharedServices& services;
    Rng rng;
    std::size_t udp_bytes_max = kUdpBytesMax;
    std::size_t connections = 0;  ///< outlives `io`, whose end closes them
    asio::io_context io{1};
    udp::socket socket{io};
    tcp::acceptor acceptor{io};
    asio::steady_timer pause{io};
    std::array<std::uint8_t, kQuestionBytesMax> datagram{};
    udp::endpoint asker;
    std::thread thread;
};

DnsServer::DnsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DnsServer::~DnsServer() { stop(); }

Result<std::unique_ptr<DnsServer>> DnsServer::open(DnsServerConfig config,
                                                   const SharedServices& services, Rng rng) {
    auto impl = std::make_unique<Impl>(std::move(config), services, rng);
    TRY(impl->listen());
    impl->receive();
    impl->accept();
    impl->thread = std::thread([io = &impl->io] { io->run(); });
    ::pthread_setname_np(impl->thread.native_handle(), "dns");
    return std::unique_ptr<DnsServer>(new DnsServer(std::move(impl)));  // NOLINT: private
}

std::uint16_t DnsServer::port() const { return impl_->config.port; }

void DnsServer::stop() {
    if (!impl_->thread.joinable()) return;
    impl_->io.stop();
    impl_->thread.join();
}

}  // namespace gaggle
