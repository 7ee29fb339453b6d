"""Players: one-time passwords, sessions, allowances (contract payments, "Players")."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric import ec
from django.core.management import CommandError, call_command

from accounts.models import User
from core.db import clock
from payments.errors import InvalidPlyrId
from payments.models import Allowance, PlayerProfile, SessionKey
from payments.players import clean_plyr_id, renew_otp
from tests.support.pots import Person, pot_state

pytestmark = pytest.mark.django_db
START = datetime(2031, 5, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def traveller():
    with time_machine.travel(START, tick=False) as moving:
        yield moving


def log_in(server, one: Person, code: str | None = None, **more):
    return server.post("/user/login", {"plyrId": one.plyr_id, "otp": one.code() if code is None else code, **more})


@pytest.mark.parametrize("good", ["abcde", "a-1-b-2", "1234a", "x" * 64, "UPPER-Case"])
def test_a_plyr_id_is_5_to_64_letters_digits_and_single_dashes(good):
    assert clean_plyr_id(good) == good.lower()


@pytest.mark.parametrize(
    "bad", ["abcd", "x" * 65, "-abcde", "abcde-", "ab--cde", "12345", "ab_cde", "ab cde", "abcdé", "abcde\n", ""]
)
def test_anything_else_is_not(bad, server):
    with pytest.raises(InvalidPlyrId):
        clean_plyr_id(bad)
    answer = server.post("/user/login", {"plyrId": bad, "otp": "123456"})
    assert (answer.status, answer["error"]) == (400, "Invalid PLYR[ID]")


class TestOneTimePasswords:
    @pytest.mark.parametrize("step", [-1, 0, 1])
    def test_a_code_of_now_or_a_step_aside_logs_in(self, server, person, step):
        ada = person("ada-lake")
        assert log_in(server, ada, ada.code(step)).status == 200

    @pytest.mark.parametrize("step", [-2, 2])
    def test_one_of_two_steps_aside_does_not(self, server, person, step):
        ada = person("ada-lake")
        answer = log_in(server, ada, ada.code(step))
        assert (answer.status, answer["error"], answer["code"]) == (401, "Invalid 2fa token", "OTP_INVALID")

    def test_a_code_works_once_in_all_its_time(self, server, person, traveller):
        ada = person("ada-lake")
        codes = [ada.code(step) for step in (-1, 0, 1)]
        assert [log_in(server, ada, code).status for code in codes] == [200, 200, 200]
        traveller.shift(timedelta(seconds=30))
        for code in codes[1:]:
            answer = log_in(server, ada, code)
            assert (answer.status, answer["error"]) == (401, "2FA token already used")

    def test_a_used_code_is_used_for_every_route_that_asks_for_one(self, server, person, gold):
        ada = person("ada-lake")
        code = ada.code()
        log_in(server, ada, code)
        body = {"plyrId": "ada-lake", "gameId": "slot", "otp": code, "token": "gold", "amount": 5}
        assert server.post("/game/approve", body)["error"] == "2FA token already used"
        assert server.post("/game/revoke", body)["error"] == "2FA token already used"
        assert not Allowance.objects.exists()

    def test_five_wrong_codes_lock_for_a_minute(self, server, person, traveller):
        ada = person("ada-lake")
        for _ in range(5):
            assert log_in(server, ada, "000000")["error"] == "Invalid 2fa token"
        locked = log_in(server, ada)
        assert (locked.status, locked["error"]) == (403, "User is temporary locked")
        traveller.shift(timedelta(seconds=59))
        assert log_in(server, ada).status == 403
        traveller.shift(timedelta(seconds=1))
        assert log_in(server, ada).status == 200

    def test_a_right_code_forgives_four_wrong_ones(self, server, person, traveller):
        ada = person("ada-lake")
        for _ in range(2):
            for _ in range(4):
                log_in(server, ada, "000000")
            traveller.shift(timedelta(seconds=30))
            assert log_in(server, ada).status == 200

    @pytest.mark.parametrize("code", ["", " 123456", "12345", "1234567", "１２３４５６", None, 123456, ["1"], {}])
    def test_what_is_no_code_is_a_wrong_one(self, server, person, code):
        person("ada-lake")
        answer = server.post("/user/login", {"plyrId": "ada-lake", "otp": code})
        assert (answer.status, answer["error"]) == (401, "Invalid 2fa token")

    def test_nobody_is_not_found_nor_is_who_was_switched_off(self, server, person):
        ada = person("ada-lake")
        User.objects.filter(pk=ada.profile.user_id).update(is_active=False)
        for plyr_id in ("ada-lake", "nobody"):
            answer = server.post("/user/login", {"plyrId": plyr_id, "otp": ada.code()})
            assert (answer.status, answer["error"]) == (404, "User not found")

    def test_the_secret_is_encrypted_and_a_new_one_ends_the_old(self, server, person):
        ada = person("ada-lake")
        assert ada.secret.encode() not in bytes(PlayerProfile.objects.get().otp_secret_encrypted or b"")
        assert renew_otp(player=ada.profile).startswith("otpauth://totp/")
        assert log_in(server, ada)["error"] == "Invalid 2fa token"


class TestSessions:
    def test_last_24_hours_by_default(self, server, person, traveller):
        token = log_in(server, person("ada-lake"))["sessionJwt"]
        traveller.shift(timedelta(hours=24, seconds=-1))
        assert server.post("/user/session/verify", {"sessionJwt": token}).status == 200
        traveller.shift(timedelta(seconds=1))
        answer = server.post("/user/session/verify", {"sessionJwt": token})
        assert (answer.status, answer["error"]) == (401, "JWT deadline is expired")

    def test_a_new_login_ends_the_earlier_one_of_this_game_only(self, server, server_of, person, other_game, traveller):
        ada, other = person("ada-lake"), server_of(other_game)
        elsewhere = log_in(other, ada)["sessionJwt"]
        traveller.shift(timedelta(seconds=30))
        first = log_in(server, ada)["sessionJwt"]
        traveller.shift(timedelta(seconds=30))
        second = log_in(server, ada)["sessionJwt"]
        assert server.post("/user/session/verify", {"sessionJwt": first})["error"] == "JWT nonce is expired"
        assert server.post("/user/session/verify", {"sessionJwt": second}).status == 200
        assert other.post("/user/session/verify", {"sessionJwt": elsewhere}).status == 200

    def test_of_a_user_that_was_frozen_neither_count_nor_pay(self, server, seated):
        ada = seated("ada-lake")
        User.objects.filter(pk=ada.profile.user_id).update(is_active=False)
        before = pot_state()
        answer = server.post("/user/session/verify", {"sessionJwt": ada.jwt})
        assert (answer.status, answer["error"]) == (401, "User not found")
        body = {"sessionJwts": [ada.jwt], "tokens": ["gold"], "amounts": [10]}
        assert server.post("/game/createJoinPay", body).status == 401
        assert pot_state() == before
        User.objects.filter(pk=ada.profile.user_id).update(is_active=True)
        assert server.post("/user/session/verify", {"sessionJwt": ada.jwt}).status == 200

    def test_another_games_token_counts_for_nothing(self, server, server_of, person, other_game):
        token = log_in(server_of(other_game), person("ada-lake"))["sessionJwt"]
        for path in ("/user/session/verify", "/user/logout"):
            answer = server.post(path, {"sessionJwt": token})
            assert (answer.status, answer["error"]) == (401, "Invalid gameId")

    def test_one_game_cannot_log_a_player_in_to_another(self, server, person, other_game):
        answer = log_in(server, person("ada-lake"), gameId="other")
        assert (answer.status, answer["error"]) == (401, "Invalid gameId")

    def test_a_token_signed_by_somebody_else_is_invalid(self, server, person):
        real = log_in(server, person("ada-lake"))["sessionJwt"]
        claims = jwt.decode(real, options={"verify_signature": False})
        foreign = ec.generate_private_key(ec.SECP256R1())
        kid = str(SessionKey.objects.get().pk)
        public_pem = SessionKey.objects.get().public_pem
        forged = [
            jwt.encode(claims, foreign, "ES256", {"kid": kid}),
            jwt.encode(claims, foreign, "ES256"),
            jwt.encode(claims, foreign, "ES256", {"kid": "9" * 30}),
            jwt.encode(claims, "", "none", {"kid": kid}),
            jwt.encode(claims, "x" * 32, "HS256", {"kid": kid}),
            real[:-4] + "AAAA",
            "",
            "a.b.c",
            public_pem,
        ]
        for token in [*forged, None, 5, [real]]:
            answer = server.post("/user/session/verify", {"sessionJwt": token})
            assert (answer.status, answer["error"]) == (401, "Invalid sessionJwt")

    def test_the_signing_key_is_made_once_and_stored_encrypted(self, server, person):
        log_in(server, person("ada-lake"))
        log_in(server, person("ben-7-hill"))
        assert b"PRIVATE KEY" not in bytes(SessionKey.objects.get().private_pem_encrypted)

    @pytest.mark.parametrize("lifetime", [0, -5, "soon", 1.5, True, [60], "1e3", 10**12])
    def test_a_lifetime_that_is_none_is_refused_and_uses_no_code(self, server, person, lifetime):
        ada = person("ada-lake")
        answer = log_in(server, ada, expiresIn=lifetime)
        assert (answer.status, answer["error"]) == (400, "Input params was incorrect.")
        assert log_in(server, ada).status == 200

    def test_a_guest_plays_at_once_but_has_no_code_and_cannot_log_out(self, server, gold):
        guest = server.post("/instantPlayPass/register", {})
        assert server.post("/user/session/verify", {"sessionJwt": guest["sessionJwt"]})["payload"]["isIPP"] is True
        answer = server.post("/user/logout", {"sessionJwt": guest["sessionJwt"]})
        assert (answer.status, answer["error"]) == (401, "Instant Play Pass user cannot logout")
        answer = server.post("/user/login", {"plyrId": guest["plyrId"], "otp": "000000"})
        assert answer["error"] == "Invalid 2fa token"


class TestAllowances:
    def approve(self, server, one: Person, **body):
        return server.post("/game/approve", {"plyrId": one.plyr_id, "gameId": "slot", "otp": one.code(), **body})

    def left(self, server, one: Person) -> object:
        return server.get(f"/game/allowance/{one.plyr_id}/slot/GOLD")["allowance"]

    def test_are_set_not_added(self, server, person, gold, traveller):
        ada = person("ada-lake")
        assert self.left(server, ada) == 0
        self.approve(server, ada, tokens=["GOLD"], amounts=["7.25"])
        traveller.shift(timedelta(seconds=30))
        self.approve(server, ada, token="gold", amount=3)
        assert self.left(server, ada) == 3

    def test_run_out_when_told_to(self, server, person, gold, traveller):
        ada = person("ada-lake")
        self.approve(server, ada, token="gold", amount=3, expiresIn=60)
        traveller.shift(timedelta(seconds=60))
        assert self.left(server, ada) == 0

    @pytest.mark.parametrize("amount", [0, -1, "x", None, "NaN", 0.001, True, [1], 10**17])
    def test_of_nothing_or_nonsense_are_refused_and_use_no_code(self, server, person, gold, amount):
        ada = person("ada-lake")
        answer = self.approve(server, ada, token="gold", amount=amount)
        assert (answer.status, answer["error"]) == (401, "Approve amount was incorrect.")
        assert self.approve(server, ada, token="gold", amount=1).status == 200

    def test_are_for_the_keys_own_game(self, server, server_of, person, gold, other_game):
        ada = person("ada-lake")
        answer = server_of(other_game).post(
            "/game/approve",
            {"plyrId": "ada-lake", "gameId": "slot", "otp": ada.code(), "token": "gold", "amount": 5},
        )
        assert (answer.status, answer["error"]) == (401, "Invalid gameId")
        assert not Allowance.objects.exists()

    def test_all_can_be_revoked_at_once(self, server, person, gold, traveller):
        ada = person("ada-lake")
        self.approve(server, ada, token="gold", amount=3)
        traveller.shift(timedelta(seconds=30))
        server.post("/game/revoke", {"plyrId": "ada-lake", "gameId": "slot", "token": "all", "otp": ada.code()})
        assert self.left(server, ada) == 0


class TestLookingUp:
    @pytest.mark.parametrize("path", ["/user/info/nobody", "/user/balance/nobody", "/user/balance/nobody/gold"])
    def test_nobody_is_not_found(self, server, gold, path):
        answer = server.get(path)
        assert (answer.status, answer["error"], answer["code"]) == (404, "User not found", "USER_NOT_FOUND")

    @pytest.mark.parametrize("text", ["%00%00%00%00%00", "%ED%A0%80", "' OR 1=1", "x" * 150, "%F0%9F%8E%B2"])
    def test_strange_names_find_nobody(self, server, gold, text):
        assert server.get(f"/user/exists/{text}").body == {"exists": False}
        assert server.get(f"/user/info/{text}")["error"] == "Invalid PLYR[ID]"
        assert server.get(f"/user/balance/{text}")["error"] == "Invalid PLYR[ID]"

    @pytest.mark.parametrize("symbol", ["copper", "%00", "GOLD%20", "goLd%C3%9F", "x" * 100])
    def test_an_unknown_token_is_named(self, server, seated, symbol):
        seated("ada-lake")
        answer = server.get(f"/user/balance/ada-lake/{symbol}")
        assert answer.status == 401
        assert answer["error"].startswith("Invalid token: ")

    def test_a_primary_address_exists_too(self, server, person, player):
        address = person("ada-lake", user=player).profile.primary_address
        assert server.get(f"/user/exists/{address}").body == {"exists": True}
        # Unproven, and another user may have it too.
        assert server.get("/user/exists/wallet-of-player").body == {"exists": False}


class TestTheCommand:
    def test_makes_a_player_of_a_user_and_prints_the_secret_once(self, capsys, player):
        call_command("create_player", "paula-p", "--user", "Player")
        assert capsys.readouterr().out.startswith("otpauth://totp/gameplatform:paula-p?secret=")
        assert PlayerProfile.objects.get().user == player
        assert PlayerProfile.objects.get().created_at == clock.now()

    def test_refuses_what_is_taken_or_unknown(self, person, player):
        person("paula-p")
        for arguments in (["paula-p"], ["other-p", "--user", "nobody"], ["x"]):
            with pytest.raises(CommandError):
                call_command("create_player", *arguments)
        assert PlayerProfile.objects.count() == 1
