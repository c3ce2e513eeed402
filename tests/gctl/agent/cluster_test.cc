#include "gctl/agent/cluster.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <optional>
#include <thread>

#include "crypto/invitation.h"
#include "crypto/peer_socket.h"
#include "gctl/agent/token_file.h"
#include "gctl/node/durable_keys.h"
#include "gctl/node/message.h"
#include "gctl/store/store.h"
#include "placement/ledger/command.h"
#include "tests/crypto/sockets_fixture.h"

namespace gaggle {

namespace {

class TempDir {
  public:
    TempDir() {
        std::string path = std::filesystem::temp_directory_path() / "gaggle-test-XXXXXX";
        REQUIRE(::mkdtemp(path.data()) != nullptr);
        path_ = path;
    }
    ~TempDir() { std::filesystem::remove_all(path_); }
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }

  private:
    std::string path_;
};

unsigned mode_of(const std::string& path) {
    struct stat about {};
    REQUIRE(::stat(path.c_str(), &about) == 0);
    return about.st_mode & 07777U;
}

Founded found(const std::string& data_dir, std::uint16_t port = kBasePort) {
    auto founded = init_cluster({.data_dir = data_dir,
                                 .region = "sea",
                                 .datacenter = "ship",
                                 .name = "bridge",
                                 .listen = {.bind = "127.0.0.1", .port = port, .advertise = ""}});
    REQUIRE_MESSAGE(founded.ok(), (founded.ok() ? "" : founded.error().detail));
    return *founded;
}

/// A member's lobby that lets everybody in, or nobody.
class Lobby {
  public:
    Lobby(const std::string& data_dir, std::string refusal) : refusal_(std::move(refusal)) {
        const auto file = load_cluster(data_dir);
        const auto identity = load_peer_identity(data_dir);
        REQUIRE(file.ok());
        REQUIRE(identity.ok());
        const auto deliver = [this](Received received) {
            auto knock = decode<Knock>(received.bytes, "knock");
            if (!knock.ok()) return;
            ++knocks;
            node::KnockAnswer answer{.error = refusal_, .number = {7}, .epoch = {1}};
            answer.cards.emplace_back(PeerId{}, Bytes{1, 2, 3});
            while (!sockets.load()) std::this_thread::yield();
            sockets.load()->answer_lobby(received.token, encode(answer));
        };
        auto opened = PeerSockets::open(
            {.identity = *identity,
             .keyring = Keyring(file->authority, file->region),
             .bind_host = file->listen.bind,
             .base_port = file->listen.port},
            {.deliver = deliver, .link = [](const LinkEvent&) {}, .fatal = [](const Error&) {}});
        REQUIRE_MESSAGE(opened.ok(), (opened.ok() ? "" : opened.error().detail));
        owner_ = std::move(*opened);
        sockets = owner_.get();
    }
    std::atomic<int> knocks{0};
    std::atomic<PeerSockets*> sockets{nullptr};

  private:
    std::string refusal_;
    std::unique_ptr<PeerSockets> owner_;
};

constexpr std::uint16_t kPort = 14'647;

}  // namespace

TEST_CASE("a founded data directory holds all that the first agent needs") {
    const TempDir temp;
    const std::string data = temp / "deep/data";
    const Founded founded = found(data);

    const auto file = load_cluster(data);
    REQUIRE(file.ok());
    CHECK(file->region_name == "sea");
    CHECK(file->datacenter == "ship");
    CHECK(file->name == "bridge");
    CHECK(file->number == PeerNumber{1});
    CHECK(verify(file->certificate, file->authority, file->region).ok());
    CHECK(load_peer_identity(data)->id() == founded.peer);
    CHECK(id_of(file->certificate) == founded.peer);

    CHECK(mode_of(data) == 0700);
    for (const char* name : {"/identity", "/issuer", "/authority", "/region"})
        CHECK_MESSAGE(mode_of(data + name) == 0600, name);

    auto store = store::Store::open(data);
    REQUIRE(store.ok());
    const auto loaded = (*store)->take_loaded();
    REQUIRE(loaded.membership.has_value());
    CHECK(loaded.membership->region == file->region);
    CHECK(!loaded.raft.entries.empty());
    const auto command = decode<ledger::Found>(loaded.keys.at(node::kFoundKey), "found");
    REQUIRE(command.ok());
    CHECK(command->founder.id == founded.peer);
    CHECK(command->name == "sea");
}

TEST_CASE("a used data directory is refused and left as it was") {
    const TempDir temp;
    const std::string data = temp / "data";
    const Founded founded = found(data);
    const auto again = init_cluster({.data_dir = data});
    REQUIRE(!again.ok());
    CHECK(again.error().code == Errc::invalid);
    CHECK(again.error().detail.find("belongs to region \"sea\"") != std::string::npos);
    CHECK(load_peer_identity(data)->id() == founded.peer);

    std::filesystem::remove(data + "/region");
    const auto unfinished = init_cluster({.data_dir = data});
    REQUIRE(!unfinished.ok());
    CHECK(unfinished.error().detail.find("\"identity\"") != std::string::npos);
    CHECK(load_peer_identity(data)->id() == founded.peer);
}

TEST_CASE("a directory without a cluster names both ways to get one") {
    const TempDir temp;
    const auto file = load_cluster(temp / "none");
    REQUIRE(!file.ok());
    CHECK(file.error().code == Errc::not_found);
    CHECK(file.error().detail.find("gctl cluster init --data-dir") != std::string::npos);
    CHECK(file.error().detail.find("--invitation-file") != std::string::npos);
}

TEST_CASE("founding with bad names or addresses changes nothing") {
    const TempDir temp;
    for (const InitOptions& options :
         {InitOptions{.data_dir = temp / "a", .region = "no spaces"},
          InitOptions{.data_dir = temp / "a", .datacenter = ""},
          InitOptions{.data_dir = temp / "a", .name = std::string(65, 'x')},
          InitOptions{.data_dir = temp / "a", .listen = {.bind = "0.0.0.0"}},
          InitOptions{.data_dir = temp / "a", .listen = {.port = 65'534}}}) {
        CHECK(!init_cluster(options).ok());
        CHECK(!std::filesystem::exists(temp / "a"));
    }
}

TEST_CASE("a damaged cluster file is told from a missing one") {
    const TempDir temp;
    const std::string data = temp / "data";
    found(data);
    std::filesystem::resize_file(data + "/region", 60);
    const auto file = load_cluster(data);
    REQUIRE(!file.ok());
    CHECK(file.error().code == Errc::corrupt);
    CHECK(!init_cluster({.data_dir = data}).ok());
}

TEST_CASE("options win over the cluster file") {
    const TempDir temp;
    found(temp / "data");
    const ClusterFile file = *load_cluster(temp / "data");
    AgentOptions options;
    CHECK(with_options(file, options)->listen == file.listen);
    options.bind = "127.0.0.9";
    options.name = "mast";
    CHECK(with_options(file, options)->listen.reached_at() == "127.0.0.9");
    CHECK(with_options(file, options)->name == "mast");
    options.bind = "0.0.0.0";
    CHECK(!with_options(file, options).ok());
    options.advertise = "10.0.0.1";
    CHECK(with_options(file, options)->listen.reached_at() == "10.0.0.1");
}

TEST_CASE("the HTTP API stays on loopback unless the operator says otherwise") {
    AgentOptions options;
    CHECK(http_address_of(options, {.bind = "127.0.0.3"}) == "127.0.0.3");
    CHECK(http_address_of(options, {.bind = "10.0.0.1"}) == "127.0.0.1");
    options.http_bind = "10.0.0.1";
    CHECK(http_address_of(options, {.bind = "10.0.0.1"}) == "10.0.0.1");
}

TEST_CASE("an invitation names the region, the peer as a seed, and the limits asked for") {
    const TempDir temp;
    const std::string data = temp / "data";
    found(data);
    const auto line = make_cluster_invitation({.data_dir = data,
                                               .uses = 3,
                                               .valid_for = 2h,
                                               .rights = kPeerRights,
                                               .datacenter = "hold"});
    REQUIRE(line.ok());
    const auto invitation = parse_invitation(*line);
    REQUIRE(invitation.ok());
    CHECK(invitation->scope().region_name == "sea");
    CHECK(invitation->scope().uses == 3);
    CHECK(invitation->scope().datacenter == "hold");
    REQUIRE(invitation->seeds.size() == 1);
    CHECK(invitation->seeds[0].host == "127.0.0.1");
    CHECK(invitation->seeds[0].curve == load_peer_identity(data)->curve.open);

    std::filesystem::remove(data + "/issuer");
    const auto without = make_cluster_invitation({.data_dir = data});
    REQUIRE(!without.ok());
    CHECK(without.error().code == Errc::denied);
}

TEST_CASE("an expulsion is believed by who knows the authority") {
    const TempDir temp;
    const std::string data = temp / "data";
    const Founded founded = found(data);
    const auto bytes = make_expulsion(data, founded.peer);
    REQUIRE(bytes.ok());
    const auto statement = decode<Expulsion>(*bytes, "expulsion");
    REQUIRE(statement.ok());
    CHECK(statement->body.peer == founded.peer);
    CHECK(verify(*statement, founded.file.authority, founded.file.region).ok());
}

TEST_CASE("a newcomer joins through the lobby, once") {
    const TempDir temp;
    const std::string home = temp / "home";
    found(home, kPort);
    const std::string line = *make_cluster_invitation({.data_dir = home});
    Lobby lobby(home, "");

    const JoinOptions options{.data_dir = temp / "new",
                              .invitation = line,
                              .name = "mast",
                              .listen = {.bind = "127.0.0.2"}};
    const auto joined = join_cluster(options);
    REQUIRE_MESSAGE(joined.ok(), (joined.ok() ? "" : joined.error().detail));
    CHECK(joined->number == PeerNumber{7});
    CHECK(joined->region_name == "sea");
    CHECK(joined->datacenter == "dc1");
    CHECK(load_cluster(temp / "new")->listen.bind == "127.0.0.2");
    {
        auto store = store::Store::open(temp / "new");
        REQUIRE(store.ok());
        const auto loaded = (*store)->take_loaded();
        CHECK(!loaded.membership.has_value());
        const auto cards = decode<std::vector<std::pair<PeerId, Bytes>>>(
            loaded.keys.at(node::kRosterKey), "roster");
        REQUIRE(cards.ok());
        CHECK(cards->size() == 1);
    }
    CHECK(join_cluster(options).ok());  // the agent is started again with the same options
    CHECK(lobby.knocks == 1);

    const std::string other = temp / "other";
    found(other);
    const auto stranger = join_cluster({.data_dir = other, .invitation = line});
    REQUIRE(!stranger.ok());
    CHECK(stranger.error().detail.find("another cluster") != std::string::npos);
}

TEST_CASE("a refused or unheard newcomer keeps its keys and leaves no cluster file") {
    const TempDir temp;
    const std::string home = temp / "home";
    found(home, kPort + 10);
    const std::string line = *make_cluster_invitation({.data_dir = home});
    const JoinOptions options{.data_dir = temp / "new", .invitation = line, .knock_timeout = 2s};

    const auto unheard = join_cluster(options);
    REQUIRE(!unheard.ok());
    CHECK(unheard.error().code == Errc::unavailable);
    const PeerId self = load_peer_identity(temp / "new")->id();
    {
        Lobby lobby(home, "the invitation was used up");
        const auto refused = join_cluster(options);
        REQUIRE(!refused.ok());
        CHECK(refused.error().code == Errc::denied);
        CHECK(refused.error().detail.find("was used up") != std::string::npos);
    }
    CHECK(load_peer_identity(temp / "new")->id() == self);
    CHECK(load_cluster(temp / "new").error().code == Errc::not_found);
}

TEST_CASE("garbled and expired invitations are told apart") {
    const TempDir temp;
    found(temp / "home");
    std::string line = *make_cluster_invitation({.data_dir = temp / "home"});
    const std::string cut = line.substr(0, line.size() - 9);
    CHECK(join_cluster({.data_dir = temp / "x", .invitation = cut}).error().code == Errc::corrupt);
    CHECK(join_cluster({.data_dir = temp / "x", .invitation = "hello"}).error().code ==
          Errc::invalid);
    CHECK(!std::filesystem::exists(temp / "x"));
    const auto expired = make_cluster_invitation({.data_dir = temp / "home", .valid_for = -1h});
    if (expired.ok()) {
        const auto late = join_cluster({.data_dir = temp / "x", .invitation = *expired});
        REQUIRE(!late.ok());
        CHECK(late.error().code == Errc::denied);
    }
}

TEST_CASE("the command line finds the agent's token by address") {
    const TempDir temp;
    const auto token = load_or_make_token(temp / "");
    REQUIRE(token.ok());
    CHECK(token->size() >= 40);
    CHECK(*load_or_make_token(temp / "") == *token);
    CHECK(*read_token_file(temp / "http-token") == *token);
    CHECK(mode_of(temp / "http-token") == 0600);

    {
        auto published = PublishedToken::publish("127.0.0.77", 4646, *token);
        REQUIRE(published.ok());
        CHECK(mode_of(published->path()) == 0600);
        CHECK(*find_token("127.0.0.77", 4646) == *token);
        CHECK(find_token("127.0.0.77", 4645).error().code == Errc::not_found);
        const auto other = PublishedToken::publish("127.0.0.77", 4646, "another agent's");
        CHECK(*find_token("127.0.0.77", 4646) == "another agent's");
        {
            const auto ended = std::move(*published);
        }
        CHECK(*find_token("127.0.0.77", 4646) == "another agent's");
    }
    CHECK(!find_token("127.0.0.77", 4646).ok());
}

TEST_CASE("what killed agents published is removed when the next one publishes, and no other's") {
    const auto alive = PublishedToken::publish("127.0.63.79", 4646, "two");  // nobody listens there
    REQUIRE(alive.ok());
    const std::string folder = std::filesystem::path(alive->path()).parent_path();
    std::ofstream(folder + "/127.0.63.78_4646.token") << "one\n";
    std::ofstream(folder + "/127.0.63.78_4646.kept") << "no token\n";
    const auto next = PublishedToken::publish("127.0.63.80", 4646, "three");
    REQUIRE(next.ok());
    CHECK_FALSE(std::filesystem::exists(folder + "/127.0.63.78_4646.token"));
    CHECK(std::filesystem::remove(folder + "/127.0.63.78_4646.kept"));
    CHECK(*find_token("127.0.63.79", 4646) == "two");
    CHECK(*find_token("127.0.63.80", 4646) == "three");
}

TEST_CASE("an invitation file is read without the white space around it") {
    const TempDir temp;
    std::ofstream(temp / "line") << "\n  gaggle1.abc \n";
    CHECK(*read_invitation_file(temp / "line") == "gaggle1.abc");
    std::ofstream(temp / "empty") << "\n";
    CHECK(read_invitation_file(temp / "empty").error().code == Errc::invalid);
    CHECK(read_invitation_file(temp / "missing").error().code == Errc::not_found);
}

}  // namespace gaggle
