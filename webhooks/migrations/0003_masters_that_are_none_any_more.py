from pathlib import Path

from django.db import migrations

from core.db.sql import install

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):

    dependencies = [('webhooks', '0002_webhook_functions'), ('accounts', '0005_language_and_time_zone')]

    operations = [install(SQL / name) for name in ("heard.sql", "claim.sql")]
