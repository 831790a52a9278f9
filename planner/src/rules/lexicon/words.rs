//! Word lists, one string each: plain data, read by splitting at spaces.

/// Words that never carry a command; dropped wherever they stand.
pub(in crate::rules) const FILLERS: &str = "\
    please kindly just um uh hmm er vola robot hey carefully gently slowly quickly really very \
    immediately somewhere simply also too maybe perhaps actually now softly neatly nicely \
    straight directly slightly asap dear mate buddy sir quick fast kinda again safely lovely lol haha";

/// Words that are dropped only at the beginning of a sentence.
pub(in crate::rules) const OPENERS: &str = "\
    ok okay so well hi hello alright right yo yes sure great good thanks sorry oh ah and then \
    but";

/// Verbs of things no tabletop robot of this kind does.
pub(in crate::rules) const UNSUPPORTED: &str = "\
    rotate turn flip spin pour wipe wash cut cook fold paint draw write screw unscrew shake roll \
    lick eat drink sing dance jump walk run fly follow swap exchange tie press switch charge \
    measure weigh sweep swim play buy sell call bake fix repair tilt squeeze juggle balance hide \
    assemble glue tear iron read drill hammer plug";

/// Everyday nouns that are no typo of anything we know.
pub(in crate::rules) const OTHER_NOUNS: &str = "\
    plate ball spoon fork knife bottle glass apple banana orange lock clock rock cable book pen \
    pencil phone key shoe lamp sock paper card door window chair mug bucket tray tower case cake \
    bread sponge towel tool hammer screw coin bean doll truck duck sack bag pot pan lid tape \
    stone stick string rope shelf cupboard basket marble bead snack flock black lack back slack \
    shack track grab blow brow crown lose chose hose";

/// Words the typo repair may put in place of an unknown one.
pub(in crate::rules) const REPAIRABLE: &str = "\
    block blocks cube cubes brick bricks bowl bowls dish container drawer table gripper place \
    stack pick grab take lift push slide shove nudge open close shut move drop wait home sort \
    clear tidy left right middle centre center corner side bottom upper lower front behind next \
    beside near inside into onto then leftmost rightmost nearest closest farthest furthest \
    everything except other seconds second forward hand what where blue green orange yellow \
    purple pink cyan brown gray grey black white violet release empty remove object objects \
    colour color please with them between towards return";

/// Words of questions about what is on the table and in the gripper.
pub(in crate::rules) const SCENE_WORDS: &str = "\
    a an the is are am was were do does did be can could what which where who how many much there \
    here this that these those it its them they you your i me my we us of on in at to from by with \
    and or not no any some all every each other another one ones only both still yet else than \
    table desk gripper hand color colors colour colours kind left right top bottom middle centre \
    center upper lower front behind next beside near nearest closest farthest furthest between \
    corner corners side sides edge leftmost rightmost inside under over above below onto into out \
    off up down first last see seen seeing visible hold holding held have has lies lie lying stand \
    stands standing located find found locate lay empty full open opened closed shut free stacked \
    help say ask able show list describe look around count doing plan most same currently exactly \
    sitting contain contains touching biggest smallest largest scene everything workspace tabletop \
    situation whole entire please";

/// Everyday words: known, never repaired and never a repair.
pub(in crate::rules) const COMMON_WORDS: &str = "\
    rear likewise beforehand soon till unless belongs belong goes stays remains ends ought supposed \
    the a an and or of in on to at by up down out off it its is are was be not no yes you your i \
    me my we us he she they this that these those here there all both each every any some few \
    many most several half one ones two three four five six ten do does did done can could will \
    would shall should may must have has had from for but than if when while until unless before \
    after first third last same only over under above below top far away who how why which much \
    like want need hold holding see look know tell say said good hello thanks thank nice time \
    stop halt again word well without never neither none free full side hand hands arm back else \
    kind love live life give gave lots couple rest mean meant instead rather wrong long help \
    next right robot moment minute minutes named called matching their itself myself apart \
    around along through about number option something anything nothing someone put set get let \
    big small large larger smaller tiny biggest smallest largest size ground floor edge end part \
    area region surface desk finger fingers claw name list count show describe doing able use \
    used make words story joke weather today tomorrow night morning world news food money closed \
    cold cool play plan plans line mine fine find mind wish work closer nearer farther further \
    forwards backward backwards halfway together whatever ready careful gentle stupid hungry \
    trash bin garbage sure such sky moon sun fully completely sorted water coffee house home \
    come came game gone bone tone zone song strong high higher low more less least even ever \
    once twice times turn burn born worn warm arms army meal real read road load lead head heard \
    hard card care case base fast lost cost coat boat beat seat seal sell told tall ball bell \
    call fall fill hill mill milk silk slip slim lift gift left felt feel feet meet feed wood \
    wool pool tool took cook hook happy sad angry tired later soon always often might light \
    fight sight tight eight seven nine button cotton bottoms metal shape shapes color gravity \
    dark were went better nicer happier other mother father brother another either whether gather leather feather then them \
    thin think thing things bring wring wait weight great greet greed";

/// Phrases that never carry a command, longest first, one a line.
pub(in crate::rules) const FILLER_PHRASES: &str = "\
i would appreciate it if you could
i would be happy if you could
it would be great if you could
it would be nice if you could
i was wondering if you could
could you be so kind as to
would it be possible to
would you be able to
could i ask you to
can i ask you to
may i ask you to
i wonder if you could
what you should do is
all you have to do is
your next task is to
your first task is to
your next job is to
be so good as to
be so kind as to
be so kind and
do me a favour and
do me a favor and
do us a favour and
when you have a second
when you have a moment
when you get a chance
whenever you are ready
when you are ready
why do not you
do not forget to
make sure you
make sure to
be sure to
remember to
see if you can
feel free to
if you do not mind
your job is to
how about you
how about
what about
it is time to
time for you to
no rush
no hurry
take your time
that would be great
that would be nice
i would like you to
would you be so kind as to
would you be so kind to
do you think you could
is it possible to
i would love you to
i want you to
i need you to
what i want is to
your task is to
can the robot
could the robot
i do not care which two
i do not care which one
i do not care which
it does not matter which one
it does not matter which
does not matter which one
does not matter which
so please sort that out
so please sort it out
so sort that out
so sort it out
so please make it so
so make it so
so please see to it
so see to it
the table is fine
the table is ok
the table is okay
table is fine
table is ok
table is okay
table fine
as usual
as always
as fast as possible
as quickly as possible
as soon as possible
can you please
would you mind
are you able to
go ahead and
if you can
if you could
if you please
be careful and
be gentle and
be careful
be gentle
with your gripper
with the gripper
with your hand
with your arm
using your gripper
using the gripper
for me
could you
would you
will you
can you
may you
you should
you must
you need to
you have to
try to
let us
time to
a little bit
a bit
a little
right away
right now
at once
as well
thank you
of course
all right
by the way
over there
go and
one by one
one at a time
i think";

/// Whether a list holds the word.
pub(in crate::rules) fn holds(list: &str, word: &str) -> bool {
    list.split(' ').any(|known| known == word)
}
