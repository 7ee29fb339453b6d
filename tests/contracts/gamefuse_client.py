"""A game client as they are written for the browser: multipart to sign in, wrapped JSON to play, one base address.

Its requests have the shape that public JavaScript game clients send; the whole of it is over HTTP.
"""

from dataclasses import dataclass, field
from typing import Any

import httpx


class Refused(Exception):
    def __init__(self, answer: httpx.Response) -> None:
        self.status = answer.status_code
        self.sentence = answer.text
        super().__init__(f"{answer.status_code} {answer.text}")


@dataclass
class GameFuseClient:
    base_url: str
    game_id: str = ""
    game_token: str = ""
    user: dict[str, Any] = field(default_factory=dict)

    def set_up_game(self, game_id: int, token: str) -> dict[str, Any]:
        query = f"client_from_library=js&game_id={game_id}&game_token={token}"
        game = self._send("GET", f"/games/verify?{query}")
        self.game_id, self.game_token = str(game["id"]), game["token"]
        self._send("GET", f"/games/store_items?game_id={self.game_id}&game_token={self.game_token}")
        return game

    def sign_up(self, email: str, password: str, confirmation: str, username: str) -> None:
        self.user = self._form(
            "/users",
            email=email,
            password=password,
            password_confirmation=confirmation,
            username=username,
            game_id=self.game_id,
            game_token=self.game_token,
        )

    def sign_in(self, email: str, password: str) -> None:
        self.user = self._form("/sessions", game_id=self.game_id, email=email, password=password)

    def add_leaderboard_entry(self, name: str, score: float, extra: dict[str, str]) -> None:
        # The attributes are put together as text, as the browser client does.
        text = "{" + ", ".join(f'"{key}": {value}' for key, value in extra.items()) + "}"
        self._form(
            f"/users/{self.user['id']}/add_leaderboard_entry",
            leaderboard_name=name,
            extra_attributes=text,
            score=str(score),
        )

    def leaderboard(self, name: str, *, one_per_user: bool) -> list[dict[str, Any]]:
        flag = str(one_per_user).lower()
        query = f"limit=10&one_per_user={flag}&leaderboard_name={name}"
        return self._send("GET", f"/games/{self.game_id}/leaderboard_entries?{query}")["leaderboard_entries"]

    def add_credits(self, credits: int) -> int:
        return self._send("POST", f"/users/{self.user['id']}/add_credits", {"credits": credits})["credits"]

    def set_attributes(self, attributes: dict[str, str]) -> dict[str, str]:
        pairs = [{"key": key, "value": value} for key, value in attributes.items()]
        answer = self._send("POST", f"/users/{self.user['id']}/add_game_user_attribute", {"attributes": pairs})
        return {row["key"]: row["value"] for row in answer["game_user_attributes"]}

    def create_round(self, *, multiplayer: bool, **values: Any) -> dict[str, Any]:
        is_multiplayer = bool(multiplayer or values.get("multiplayer_game_round_id"))
        body = {"game_round": {"game_user_id": self.user["id"]} | values, "multiplayer": is_multiplayer}
        return self._send("POST", "/game_rounds", body)

    def update_round(self, round_id: int, **values: Any) -> dict[str, Any]:
        return self._send("PUT", f"/game_rounds/{round_id}", {"game_round": values})

    def show_round(self, round_id: int) -> dict[str, Any]:
        return self._send("GET", f"/game_rounds/{round_id}")

    def rounds_of(self, user_id: int) -> list[dict[str, Any]]:
        return self._send("GET", f"/game_rounds?user_id={user_id}")["game_rounds"]

    def destroy_round(self, round_id: int) -> str:
        return self._send("DELETE", f"/game_rounds/{round_id}")["message"]

    def download_user(self, user_id: int) -> dict[str, Any]:
        return self._send("GET", f"/users/{user_id}")

    def _send(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"authentication-token": self.user.get("authentication_token", "")}
        if method != "GET" or body is not None:
            headers["Content-Type"] = "application/json"
        return self._answer(httpx.request(method, self.base_url + path, json=body, headers=headers))

    def _form(self, path: str, **fields: str) -> Any:
        headers = {"authentication-token": self.user.get("authentication_token", "")}
        # A field without a file name: what FormData.append(name, text) sends.
        parts = {name: (None, value) for name, value in fields.items()}
        return self._answer(httpx.post(self.base_url + path, files=parts, headers=headers))

    def _answer(self, answer: httpx.Response) -> Any:
        if answer.status_code // 100 != 2:
            raise Refused(answer)
        return answer.json()
