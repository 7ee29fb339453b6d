from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "gameplatform.accounts"
    label = "accounts"
    verbose_name = "Accounts"
