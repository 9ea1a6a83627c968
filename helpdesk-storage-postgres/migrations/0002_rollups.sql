-- The rollups that count all rows there are. One is named here once that is so: its triggers see every change, and
-- what was there before them was added.
CREATE TABLE rollup (
    name text COLLATE "C" NOT NULL PRIMARY KEY
);
