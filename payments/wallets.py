"""Tokens and the accounts that exist once: wallets, the house, issuance, the escrows' accounts (building blocks)."""

from accounts.models import User
from core.db.transactions import require_atomic
from payments.errors import TokenNotFound
from payments.models import Account, Escrow, Token


def token_by_symbol(symbol: str) -> Token:
    """The token with this symbol, whatever its case. Raises ``TokenNotFound``."""
    token = Token.objects.filter(symbol=symbol.upper()).first()
    if token is None:
        raise TokenNotFound(symbol=symbol)
    return token


def ensure_token(*, symbol: str, name: str, decimals: int) -> Token:
    """Get or create the token with this symbol and its issuance account."""
    require_atomic()
    token, _ = Token.objects.get_or_create(symbol=symbol, defaults={"name": name, "decimals": decimals})
    Account.objects.get_or_create(kind=Account.Kind.ISSUANCE, token=token)
    return token


def issuance_account(token: Token) -> Account:
    """The issuance account: source of created units and sink of destroyed ones; its balance is minus the supply."""
    require_atomic()
    return Account.objects.get_or_create(kind=Account.Kind.ISSUANCE, token=token)[0]


def ensure_wallet(*, user: User, token: Token) -> Account:
    """The user's wallet in this token, empty when new."""
    require_atomic()
    return Account.objects.get_or_create(kind=Account.Kind.WALLET, owner=user, token=token)[0]


def open_escrow(*, controller: Escrow.Controller, token: Token) -> Escrow:
    """A new escrow with one empty account in ``token``."""
    require_atomic()
    escrow = Escrow.objects.create(controller=controller)
    Account.objects.create(kind=Account.Kind.ESCROW, escrow=escrow, token=token)
    return escrow
