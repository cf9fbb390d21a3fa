"""Sentences to post, all from works in the public domain."""

POSTS = (
    "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a "
    "wife. #austen",
    "Call me Ishmael. #melville #sea",
    "It was the best of times, it was the worst of times. #dickens",
    "Shall I compare thee to a summer's day? #shakespeare #poetry",
    "The mass of men lead lives of quiet desperation. #thoreau",
    "Curiouser and curiouser! #carroll #wonderland",
    "We are such stuff as dreams are made on. #shakespeare",
    "Beware; for I am fearless, and therefore powerful. #shelley #frankenstein",
    "There is nothing either good or bad, but thinking makes it so. #shakespeare #hamlet",
    "I celebrate myself, and sing myself. #whitman #poetry",
    "Hope is the thing with feathers that perches in the soul. #dickinson #poetry",
    "The world is too much with us; late and soon. #wordsworth #poetry",
    "It is not down on any map; true places never are. #melville #sea",
    "I am no bird; and no net ensnares me. #bronte",
    "Whatever our souls are made of, his and mine are the same. #bronte",
    "To be, or not to be, that is the question. #hamlet #shakespeare",
    "All happy families are alike; each unhappy family is unhappy in its own way. #tolstoy",
    "The fog comes on little cat feet. #sandburg #poetry",
    "Even the darkest night will end and the sun will rise. #hugo",
    "He who opens a school door, closes a prison. #hugo",
    "A rose by any other name would smell as sweet. #shakespeare #roses",
    "How often have I said to you that when you have eliminated the impossible, whatever remains, however improbable, "
    "must be the truth? #doyle #holmes",
    "The game is afoot. #doyle #holmes",
    "Once upon a midnight dreary, while I pondered, weak and weary. #poe #poetry",
    "No man is an island, entire of itself. #donne",
    "Slow and steady wins the race. #aesop",
    "Why, sometimes I've believed as many as six impossible things before breakfast. #carroll",
    "The only way to get rid of a temptation is to yield to it. #wilde",
    "We are all in the gutter, but some of us are looking at the stars. #wilde #stars",
    "I wandered lonely as a cloud. #wordsworth #poetry",
    "Tyger Tyger, burning bright, in the forests of the night. #blake #poetry",
    "There is no frigate like a book. #dickinson #books",
    "To love another person is to see the face of God. #hugo",
    "There is nothing, absolutely nothing, half so much worth doing as simply messing about in boats. #grahame #boats",
    "The Time Traveller (for so it will be convenient to speak of him) was expounding a recondite matter. #wells",
    "All the world's a stage, and all the men and women merely players. #shakespeare #theatre",
)

# What is said with pictures, and with how many.
WITH_PICTURES = (
    ("From dawn to night at my window. #view #hills", 4),
    ("The road to Montreuil, before anybody else was up. #hills", 1),
    ("Two evenings that I want to keep. #painting", 2),
    ("Not one cloud all day. #sky", 1),
    ("Three studies for the wall over the fireplace. #painting", 3),
    ("Could not sleep, so I went out and looked. #night", 1),
)
WITH_A_FILM = "There is nothing half so much worth doing as simply messing about in boats. #boats #sea"

COMMENTS = (
    "How true.",
    "I have thought so myself.",
    "Where did you read that?",
    "Say it again, and slower.",
    "Not in my experience!",
    "This made my morning. ☀️",
    "I copied it into my notebook.",
    "My grandmother used to say the same.",
    "And yet it moves.",
    "Tell me more over coffee. ☕",
    "Well put.",
    "I beg to differ.",
)
