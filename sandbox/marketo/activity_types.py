"""Activity types: numbers, names, primary and secondary attributes, as an account's activities/types.json gives them."""

from typing import Any, NamedTuple

NEW_LEAD, CHANGE_DATA_VALUE, MERGE_LEADS, DELETE_LEAD = 12, 13, 32, 37

_MAIL = "Campaign Run ID:integer, Choice Number:integer, Has Predictive:boolean, Step ID:integer, Test Variant:integer"
_WEB = "Client IP Address:string, Query Parameters:string, Referrer URL:string, User Agent:string"


class ActivityType(NamedTuple):
    """One type. primary: name and data type, None where it has none; attributes: "name:type, ..."."""

    id: int
    name: str
    primary: tuple[str, str] | None
    attributes: str
    description: str

    def described(self) -> dict[str, Any]:
        """As an element of activities/types.json."""
        shown: dict[str, Any] = {"id": self.id, "name": self.name, "description": self.description}
        if self.primary is not None:
            shown["primaryAttribute"] = {"name": self.primary[0], "dataType": self.primary[1]}
        pairs = (part.strip().rpartition(":") for part in self.attributes.split(",") if part.strip())
        return shown | {"attributes": [{"name": name, "dataType": type_} for name, _, type_ in pairs]}

    @property
    def names(self) -> set[str]:
        """Names of the secondary attributes."""
        return {part.strip().rpartition(":")[0] for part in self.attributes.split(",") if part.strip()}


def _integer(name: str) -> tuple[str, str]:
    return name, "integer"


_MAILING = _integer("Mailing ID")
_ALL = (
    ActivityType(1, "Visit Webpage", _integer("Webpage ID"), f"{_WEB}, Webpage URL:string",
                 "User visits a web page"),
    ActivityType(2, "Fill Out Form", _integer("Webform ID"), f"{_WEB}, Form Fields:text, Webpage ID:integer",
                 "User fills out and submits form on web page"),
    ActivityType(6, "Send Email", _MAILING, _MAIL, "Send Marketo Email to a person"),
    ActivityType(7, "Email Delivered", _MAILING, _MAIL, "Marketo Email is delivered to a person"),
    ActivityType(8, "Email Bounced", _MAILING,
                 f"{_MAIL}, Category:string, Details:string, Email:string, Subcategory:string",
                 "Marketo Email is bounced for a person"),
    ActivityType(9, "Unsubscribe Email", _MAILING, f"{_WEB}, Campaign Run ID:integer, Has Predictive:boolean,"
                 " Test Variant:integer, Webform ID:integer, Webpage ID:integer",
                 "Person unsubscribes from Marketo Emails"),
    ActivityType(10, "Open Email", _MAILING, f"{_MAIL}, Bot Activity Pattern:string, Device:string, Is Bot Activity:boolean,"
                 " Is Mobile Device:boolean, Platform:string, User Agent:string",
                 "Person opens Marketo Email"),
    ActivityType(11, "Click Email", _MAILING, f"{_MAIL}, Bot Activity Pattern:string, Device:string, Is Bot Activity:boolean,"
                 " Is Mobile Device:boolean, Is Predictive:boolean, Link:string, Link ID:string, Platform:string,"
                 " User Agent:string",
                 "Person clicks on a link in Marketo Email"),
    ActivityType(NEW_LEAD, "New Lead", None, "Created Date:date, Form Name:string, Lead Source:string, List Name:string,"
                 " SFDC Type:string, Source Type:string",
                 "New person/record is added to the lead database"),
    ActivityType(CHANGE_DATA_VALUE, "Change Data Value", _integer("Attribute Name"), "New Value:string, Old Value:string,"
                 " Reason:string, Source:string",
                 "Changed attribute value for a person/record"),
    ActivityType(22, "Change Score", _integer("Score Name"), "Change Value:string, New Value:integer, Old Value:integer,"
                 " Reason:string",
                 "Modify the value of a score field"),
    ActivityType(24, "Add to List", _integer("List ID"), "Source:string", "Add a person/record to a list"),
    ActivityType(25, "Remove from List", _integer("List ID"), "Source:string",
                 "Remove this person/record from a list"),
    ActivityType(MERGE_LEADS, "Merge Leads", _integer("Lead ID"), "Master Updated:boolean, Merge IDs:string, Merge Source:string,"
                 " Merged in Sales:boolean",
                 "Merge two or more people/records into a single record"),
    ActivityType(DELETE_LEAD, "Delete Lead", _integer("Lead ID"), "Campaign:string",
                 "Delete a person/record"),
    ActivityType(101, "Change Revenue Stage", _integer("Model ID"), "New Stage:string, New Stage ID:integer,"
                 " Old Stage:string, Old Stage ID:integer, Reason:string",
                 "Modify the value of a revenue stage field"),
    ActivityType(104, "Change Status in Progression", _integer("Program ID"), "Acquired By:boolean, New Status:string,"
                 " New Status ID:integer, Old Status:string, Old Status ID:integer, Program Member ID:integer, Reason:string,"
                 " Success:boolean",
                 "Change status in a program progression"),
    ActivityType(113, "Add to Nurture", _integer("Program ID"), "Track ID:integer, Track Name:string",
                 "Add a person/record to an engagement program"),
)  # fmt: skip
ACTIVITY_TYPES: dict[int, ActivityType] = {type_.id: type_ for type_ in _ALL}
