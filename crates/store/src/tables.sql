-- Prices and amounts are REAL for arithmetic; columns that end in _exact hold the same number in all its digits as text.
-- Times: *_ns are nanoseconds since 1970-01-01T00:00:00Z, the other times are the same instant as text.

CREATE TABLE market_data (           -- bars that runs of this home used
    batch        TEXT NOT NULL,      -- content hash: the file catalog/<batch>.parquet
    symbol       TEXT NOT NULL,
    start_ns     INTEGER NOT NULL,   -- first instant of the bar
    ts_ns        INTEGER NOT NULL,   -- when it was known: the first instant after it
    time         TEXT NOT NULL,
    period       TEXT NOT NULL,      -- 'session' or seconds
    basis        TEXT NOT NULL,      -- raw, split-adjusted, total-return
    open         REAL,
    high         REAL,
    low          REAL,
    close        REAL,
    close_exact  TEXT,
    volume       REAL,
    status       TEXT NOT NULL,      -- ok, no data, suspect …; a cell that is not ok has no numbers
    quality      TEXT                -- checks that it failed, by name
);
CREATE INDEX market_data_symbol ON market_data (symbol, ts_ns);

CREATE TABLE signals (               -- decisions of the council, refused ones included
    run            TEXT NOT NULL,
    seq            INTEGER NOT NULL, -- event that decided
    ts_ns          INTEGER NOT NULL,
    time           TEXT NOT NULL,
    order_id       INTEGER NOT NULL,
    symbol         TEXT NOT NULL,
    side           TEXT NOT NULL,    -- buy, sell
    quantity       REAL NOT NULL,
    quantity_exact TEXT NOT NULL,
    price          REAL NOT NULL,    -- last price at the decision
    target         REAL,             -- share of the account wanted; lots where the mandate sizes in lots
    nav            REAL,
    refused_by     TEXT,             -- rule of the gate; NULL if the order was sent
    top_3_reasons  TEXT NOT NULL,    -- JSON: the strongest reasons as sentences, strongest first
    model_version  TEXT NOT NULL,    -- agents of the council with their versions
    market_regime  TEXT,             -- of the council at the decision; NULL while it is unknown and for direct mandates
    PRIMARY KEY (run, order_id)
);
CREATE INDEX signals_symbol ON signals (symbol, ts_ns);

CREATE TABLE trades (                -- executions as booked
    run              TEXT NOT NULL,
    seq              INTEGER NOT NULL,
    ts_ns            INTEGER NOT NULL,
    time             TEXT NOT NULL,
    exec_id          INTEGER NOT NULL,
    order_id         INTEGER NOT NULL,
    symbol           TEXT NOT NULL,
    side             TEXT NOT NULL,
    quantity         REAL NOT NULL,
    quantity_exact   TEXT NOT NULL,
    price            REAL NOT NULL,
    price_exact      TEXT NOT NULL,
    pnl              REAL NOT NULL,  -- gain of what it closed, before fees
    pnl_exact        TEXT NOT NULL,
    commission       REAL NOT NULL,
    commission_exact TEXT NOT NULL,
    slippage         REAL,           -- (price − price at the decision) × quantity, positive is a cost; NULL without a decision
    market_impact    REAL,           -- cost of the impact model; NULL where the mandate has none
    currency         TEXT NOT NULL,
    PRIMARY KEY (run, exec_id)
);
CREATE INDEX trades_symbol ON trades (symbol, ts_ns);

CREATE TABLE corporate_actions (     -- splits, dividends, renames and delistings that runs went through
    run      TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    ts_ns    INTEGER NOT NULL,
    time     TEXT NOT NULL,
    symbol   TEXT NOT NULL,
    ex_date  TEXT NOT NULL,
    kind     TEXT NOT NULL,          -- split, dividend, rename, delisting
    what     TEXT NOT NULL,          -- in words
    before   REAL NOT NULL,          -- position
    after    REAL NOT NULL,
    cash     REAL NOT NULL,          -- came or will come; negative if it is paid
    pnl      REAL NOT NULL,          -- gain of lots that it closed
    PRIMARY KEY (run, seq)
);

CREATE TABLE model_performance (     -- one row for each finished run and each figure of its summary
    run           TEXT NOT NULL,
    mandate       TEXT NOT NULL,
    model         TEXT NOT NULL,     -- 'council' or an agent
    model_version TEXT NOT NULL,
    metric        TEXT NOT NULL,
    value         REAL,
    PRIMARY KEY (run, model, metric)
);

CREATE TABLE market_ticks (          -- quotes and trades that were imported
    dataset     TEXT NOT NULL,
    venue       TEXT,
    symbol      TEXT NOT NULL,
    ts_ns       INTEGER NOT NULL,    -- when it was known
    exchange_ns INTEGER,             -- the venue's own time, where the source has it
    kind        TEXT NOT NULL,       -- quote, trade
    bid         REAL,
    bid_size    REAL,
    ask         REAL,
    ask_size    REAL,
    price       REAL,
    size        REAL,
    aggressor   TEXT
);
CREATE INDEX market_ticks_symbol ON market_ticks (symbol, ts_ns);

CREATE TABLE alternative_data (      -- texts, snapshots and tables that were imported, one row a cell
    dataset TEXT NOT NULL,
    series  TEXT NOT NULL,           -- symbol, or the source's own key
    ts_ns   INTEGER,                 -- when it was known; NULL where the source is not dated
    field   TEXT NOT NULL,
    value   REAL,                    -- for numbers
    text    TEXT                     -- for text
);
CREATE INDEX alternative_data_series ON alternative_data (series, field, ts_ns);

CREATE TABLE projected (             -- what the tables hold already
    name  TEXT NOT NULL,             -- table
    part  TEXT NOT NULL,             -- run, batch or dataset
    stamp TEXT NOT NULL,             -- its state when it was projected
    PRIMARY KEY (name, part)
);
