from .exact import WarpingPath as WarpingPath
from .exact import dtw as dtw
from .timemap import TimeMap as TimeMap
