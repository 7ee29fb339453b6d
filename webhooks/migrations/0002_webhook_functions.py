from pathlib import Path

from django.db import migrations

from core.db.sql import install

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):

    dependencies = [('webhooks', '0001_endpoints_events_deliveries'), ('accounts', '0004_client_public_id')]

    operations = [install(SQL / name) for name in ("event_guard.sql", "heard.sql", "claim.sql")]
