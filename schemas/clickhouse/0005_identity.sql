-- Which database this is: made with it, so that a worker sees when its state belongs to another one.
CREATE TABLE IF NOT EXISTS database_identity
(
    identity UUID,
    made     DateTime DEFAULT now()
)
ENGINE = MergeTree
ORDER BY (made, identity);

-- Two runs at the same time may make two: the first one counts.
INSERT INTO database_identity (identity) SELECT generateUUIDv4() WHERE (SELECT count() FROM database_identity) = 0;
