"""The words that names of runs are made of: short, plain, easy to say and to tell apart."""

_ADJECTIVES = """
    able agile airy alert alpine amber ample apt aqua arctic avid azure balmy basic blithe blue bold brave
    breezy brief bright brisk bronze calm candid carmine cedar cheery chief civic civil clean clear clever
    cobalt cool copper coral cosmic cosy crimson crisp cubic curious daring dapper deep deft dewy direct
    dotted downy dry early earnest easy elfin emerald even exact fair famous fancy fast fine firm fleet
    floral fluent fond frank free fresh frosty gentle gilded glad glassy golden grand green hale handy
    happy hardy hazel hearty honest humble icy ideal idle indigo ivory jade jolly jovial keen kind large
    latent lavish lean level light lilac lime linear lively local lofty loyal lucid lucky lunar magic
    major maple mellow merry mighty mild minty misty modest mossy native navy neat nimble noble novel
    oaken olive opal open orange orderly pale patient pearly placid plain playful polar polite prime
    prompt proud pure quick quiet radial rapid ready regal rich robust rosy round royal ruby rural rustic
    sage sandy satin scarlet serene sharp shiny silent silk silver simple sleek slim smart smooth snowy
    solar solid sonic spare spry square stable starry steady still stout sunny sure swift tall tame teal
    tender tidal tidy topaz tough tranquil trim true upbeat urban velvet vernal vivid warm wavy wide wild
    willing wise witty woolly young zesty
"""

_NOUNS = """
    acorn albatross alder antler apple arbor ash aspen atlas aurora badger bamboo basil bay beacon bear
    beaver beetle birch bison bluff bobcat bonsai breeze bridge brook buffalo canyon cardinal caribou
    cheetah cherry chestnut cicada cliff cloud clover comet condor cougar cove coyote crane creek crest
    cricket crow cypress dahlia daisy deer delta dolphin dove dragon drift dune eagle egret elk elm ember
    falcon fern ferret field finch fjord flint forest fox frog galaxy garden gazelle gecko geyser ginger
    glacier glade goose gorge grove gull harbor hare hawk hedgehog heron hill holly hornet ibex ibis
    iguana inlet iris island ivy jackal jaguar jasmine jay juniper kelp kestrel kingfisher kite koala
    lagoon lake lark laurel lemur leopard lily lion lizard llama lotus lynx magpie mallard mango marlin
    marmot marsh marten meadow meerkat mesa meteor mink mole moon moose moss mountain myrtle narwhal newt
    nutmeg oak oasis ocelot orca orchid oriole osprey otter owl palm panda panther parrot peach pebble
    pelican penguin pepper petrel pheasant pine planet plover plum pond poplar poppy prairie puffin puma
    quail quartz quokka rabbit raccoon rain raven reef ridge river robin rook rose saffron salmon sand
    sequoia shell shore sierra sparrow spring spruce squirrel starling stork stream summit swallow swan
    tapir tern thicket thistle tiger toucan trout tulip tundra turtle valley viper violet vole walnut
    walrus weasel whale willow wolf wombat woods wren yak zebra zephyr
"""

ADJECTIVES = tuple(_ADJECTIVES.split())
NOUNS = tuple(_NOUNS.split())
