"""The texts of the demo's data: an invented company that sends gifts to employees and customers.

The domains are reserved ones. Names are mostly Latin, as in many companies, with some others.
"""


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_NAMES = _words(
    """
    Aaron Abigail Adam Adriana Agnieszka Aisha Alejandro Alice Amara Amélie Ana Anders Andrea
    Anita Anjali Annika Anton Arjun Astrid Audrey Beatriz Ben Bianca Björn Brandon Brooke Caleb
    Camila Carlos Caroline Cecilia Charlotte Chidi Chloé Christopher Clara Daniel Daria David
    Deepa Diego Dmitri Dominic Eduardo Elena Eleni Elif Elijah Elizabeth Emeka Emily Emma Erik
    Esther Ethan Fatima Felix Fernanda Fiona Francesca Gabriel Georgia Giulia Grace Gustavo
    Hannah Harriet Hassan Heidi Helena Henrik Hugo Ibrahim Imani Ines Ingrid Isabel Ivan Jack
    James Jamila Jana Jasmine Javier Jennifer Jessica Joana John Jonas José Julia Kai Karim
    Katarzyna Kavya Kenji Kofi Kristina Kwame Laura Leila Leon Liam Lina Lindsay Lucas Lucía
    Magdalena Malik Marcus Margaret Maria Marta Martin Mateo Matthew Maya Mei Mia Michael Miguel
    Mina Mohammed Monica Nadia Naomi Natalie Neha Niamh Nicole Nikhil Noah Nora Olga Oliver Omar
    Oscar Patricia Paul Pedro Priya Rachel Rafael Ravi Rebecca René Ricardo Robert Rohan Rosa
    Ryan Samuel Sandra Sara Sebastian Siobhán Sofia Søren Stefan Stephanie Tanya Teresa Thomas
    Tomás Uchenna Valentina Victor Vikram Wei William Xavier Yara Yuki Yusuf Zainab Zoë
    """
)
# A dash stands for a space.
LAST_NAMES = _words(
    """
    Abbott Adeyemi Ahmed Alvarez Andersen Anderson Aydın Baker Banerjee Barnes Bauer Becker
    Bello Bennett Berg Bianchi Boateng Brooks Brown Campbell Carter Castillo Chan Chen Clarke
    Cohen Collins Cooper Costa Côté Cruz Da-Silva Davies Delgado Desai Diaz Dubois Edwards
    Eriksson Evans Fernandes Ferrari Fischer Fitzgerald Fleming Flores Fontaine Foster Garcia
    Gomez González Gray Green Greene Gupta Haddad Hall Hansen Harris Hayes Hernández Hoffmann
    Howard Hughes Ibáñez Ito Iyer Jackson Jansen Jensen Johansson Johnson Jones Kapoor Kaur
    Keller Kelly Khan Kim King Klein Kowalski Kumar Lambert Larsen Laurent Lee Lewis Li
    Lindqvist Lopez MacDonald Malik Marino Martin Martinez Mbeki Mehta Mensah Meyer Miller
    Mitchell Moreau Moreno Morgan Morris Müller Murphy Mwangi Nair Nakamura Nelson Nguyen
    Nielsen Novak Nowak Núñez O'Brien O'Connor Okafor Okonkwo Oliveira Olsen Ortiz Osei Owens
    Park Parker Patel Pereira Perry Petrov Phillips Popescu Price Quinn Ramirez Ramos Reed Reyes
    Ricci Richter Rivera Roberts Robinson Rossi Roy Russo Ryan Salazar Sanders Santos Sato
    Schmidt Schneider Shah Sharma Silva Simmons Singh Smith Sokolova Stewart Sullivan Suzuki
    Svensson Takahashi Tanaka Taylor Thompson Torres Tran Turner Van-Dijk Vargas Vasquez
    Virtanen Walker Wang Ward Watson Weber White Williams Wilson Wong Wright Yamamoto Yang
    Yılmaz Young Zhang Zimmermann
    """
)
# First name, last name and the part of the address before the @.
OTHER_NAMES: tuple[tuple[str, str, str], ...] = (
    ("美咲", "佐藤", "misaki.sato"),
    ("小龙", "李", "xiaolong.li"),
    ("지우", "김", "jiwoo.kim"),
    ("محمد", "عبد الرحمن", "m.abdelrahman"),
    ("ليلى", "حداد", "leila.haddad"),
    ("Ольга", "Щербакова", "o.shcherbakova"),
    ("Тарас", "Коваленко", "t.kovalenko"),
    ("Ελένη", "Παπαδοπούλου", "e.papadopoulou"),
)

COMPANY_DOMAIN = "larkfield.example"
CUSTOMER_DOMAINS = (
    "alderbank.example",
    "bluepine.example",
    "cobaltfreight.example",
    "eastgatehealth.example",
    "fernandhale.example",
    "granitelabs.example",
    "harborviewschools.example",
    "kitebrook.example",
    "merrowfoods.example",
    "northwick.example",
    "osprey-energy.example",
    "quillstudio.example",
    "redwoodclinic.example",
    "stillwater.example",
    "tallyworks.example",
    "post.example",
)

# Five senders of each workspace, in its sequence.
WORKSPACES = ("People team", "Sales", "Customer success", "Marketing", "Partnerships")
SENDERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        ("Hannah", "Lindqvist"),
        ("Marcus", "Boateng"),
        ("Julia", "Reyes"),
        ("Priya", "Nair"),
        ("Tom", "Whitfield"),
    ),
    (
        ("Daniel", "Cohen"),
        ("Sofia", "Marino"),
        ("Ryan", "Mitchell"),
        ("Aisha", "Bello"),
        ("Lukas", "Weber"),
    ),
    (
        ("Grace", "Okafor"),
        ("Ben", "Fitzgerald"),
        ("Mei", "Tanaka"),
        ("Camila", "Torres"),
        ("Oliver", "Hayes"),
    ),
    (
        ("Nora", "Jensen"),
        ("Vikram", "Shah"),
        ("Chloé", "Moreau"),
        ("Jack", "Sullivan"),
        ("Elena", "Popescu"),
    ),
    (
        ("Samuel", "Park"),
        ("Rosa", "Delgado"),
        ("Henrik", "Olsen"),
        ("Naomi", "Clarke"),
        ("Yusuf", "Aydın"),
    ),
)

VARIANTS: tuple[tuple[str, ...], ...] = (("Black",), ("Forest green",), ("Sand",))
NOTES = (
    "Thank you so much, this made my week!",
    "What a lovely surprise. Thank you!",
    "Thanks, everyone! I feel very welcome already.",
    "Merci beaucoup, c'est délicieux !",
    "The whole office enjoyed it. Thank you, and see you in the spring.",
    "Vielen Dank, ich habe mich sehr gefreut!",
    "This is so kind of you. Thank you for thinking of me.",
    "It arrived today, and it is already half eaten. Thanks!",
)
