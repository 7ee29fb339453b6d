from core.wire.fields import QueryIdField, StrictSerializer, TextField

# A hash costs the same for any length; a longer text is no password but a load test.
PASSWORD_LENGTH_MAX = 256
TEXT_LENGTH_MAX = 2048
CODE_LENGTH_MAX = 40


class RegisterInput(StrictSerializer):
    username = TextField(max_length=TEXT_LENGTH_MAX)
    password = TextField(max_length=PASSWORD_LENGTH_MAX, trim_whitespace=False)
    email = TextField(max_length=TEXT_LENGTH_MAX, allow_null=True, default=None)
    fullname = TextField(max_length=TEXT_LENGTH_MAX, allow_blank=True, default="")


class LoginInput(StrictSerializer):
    username = TextField(max_length=TEXT_LENGTH_MAX)
    password = TextField(max_length=PASSWORD_LENGTH_MAX, trim_whitespace=False)


class RefreshInput(StrictSerializer):
    refresh = TextField(max_length=TEXT_LENGTH_MAX)


class StepUpInput(StrictSerializer):
    code = TextField(max_length=CODE_LENGTH_MAX)


class ProfileInput(StrictSerializer):
    email = TextField(max_length=TEXT_LENGTH_MAX, allow_null=True, required=False)
    fullname = TextField(max_length=TEXT_LENGTH_MAX, allow_blank=True, required=False)
    avatar = TextField(max_length=TEXT_LENGTH_MAX, allow_blank=True, required=False)
    wallet_address = TextField(max_length=TEXT_LENGTH_MAX, allow_null=True, required=False, trim_whitespace=False)


class GameQuery(StrictSerializer):
    id = QueryIdField()
