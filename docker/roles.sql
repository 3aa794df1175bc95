-- Run once, when the database is made: the user of the hub's processes, who owns nothing. What it may do is granted by
-- `hocba-hub database upgrade --grant-to hocba_hub`. In a database that there was before: run it by hand, as its owner.
\getenv password HOCBA_DB_HUB_PASSWORD
CREATE ROLE hocba_hub LOGIN PASSWORD :'password';
