from pathlib import Path

from django.db import migrations

from core.db.sql import install

SQL = Path(__file__).resolve().parent.parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_pots")]

    operations = [install(SQL / "pot_guard.sql"), install(SQL / "pot_pay.sql"), install(SQL / "pot_earn.sql")]
